import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { aggregateResultType } from '../../../src/columnar/aggregate-types.ts'
import { type ColumnBatch, rowCount } from '../../../src/columnar/column-batch.ts'
import type { AggregateFunction, AggregateSpec, GroupSpec, GroupTable } from '../../../src/columnar/group-table.ts'
import type { Kernels } from '../../../src/columnar/kernels.ts'
import { materialize } from '../../../src/columnar/row-view.ts'
import { type Field, SCALAR_TYPES } from '../../../src/columnar/schema.ts'
import { decodeBatch, encodeBatch } from '../../../src/columnar/serialize.ts'
import { ALL_KERNELS } from '../../support/wasm-kernels.ts'
import { batchOf, keptRows, type Row, type SelectedRows, selectedRows, someFields } from './fixtures/batches.ts'
import { groupPlainly, textOf } from './fixtures/plain-grouping.ts'

const FUNCTIONS: readonly AggregateFunction[] = ['count', 'sum', 'min', 'max', 'avg']

const resultType = (fn: AggregateFunction, { type }: Field) => {
  try {
    return aggregateResultType(fn, type)
  } catch {
    return null
  }
}

/** Every aggregate that the columns can take. */
const aggregatesOf = (columns: readonly Field[]): readonly AggregateSpec[] => [
  { fn: 'count', column: null, as: 'rows', type: 'int64' },
  ...columns.flatMap(field =>
    FUNCTIONS.flatMap((fn): AggregateSpec[] => {
      const type = resultType(fn, field)
      return type === null ? [] : [{ fn, column: field.name, as: `${fn} ${field.name}`, type }]
    }),
  ),
]

interface Case {
  readonly fields: readonly Field[]
  readonly spec: GroupSpec
  readonly batches: readonly SelectedRows[]
}

const cases: fc.Arbitrary<Case> = fc
  .tuple(someFields(SCALAR_TYPES, 0, 3), someFields(SCALAR_TYPES, 1, 3))
  .chain(([keyFields, values]) => {
    const columns = values.map(field => ({ ...field, name: `of ${field.name}` }))
    const fields = [...keyFields, ...columns]
    const spec = { keys: keyFields.map(({ name }) => name), aggregates: aggregatesOf(columns) }
    return fc.record({
      fields: fc.constant(fields),
      spec: fc.constant(spec),
      batches: fc.array(selectedRows(fields, 15).map(withoutHugeDoubles), { maxLength: 4 }),
    })
  })

const rowsOf = (batch: ColumnBatch): Row[] =>
  materialize(batch).map(row => batch.schema.fields.map(({ name }) => row[name]))

/** Same groups, in any order; floating-point sums up to what rounding can do to its rows. */
const expectSame = (given: Case, actual: readonly Row[], expected: readonly Row[]): void => {
  const { spec } = given
  const rounding = 1e-14 * sumOfMagnitudes(given)
  const keyOf = (row: Row): string => row.slice(0, spec.keys.length).map(textOf).join(' | ')
  const byKey = new Map(actual.map(row => [keyOf(row), row]))
  expect(actual.length).toBe(expected.length)
  for (const row of expected) {
    const found = byKey.get(keyOf(row))
    expect(found).toBeDefined()
    for (const [at, { fn, type }] of spec.aggregates.entries()) {
      const position = spec.keys.length + at
      if (type === 'float64' && (fn === 'sum' || fn === 'avg')) expectClose(found?.[position], row[position], rounding)
      else expect(textOf(found?.[position])).toBe(textOf(row[position]))
    }
  }
}

const expectClose = (actual: unknown, expected: unknown, rounding: number): void => {
  if (typeof expected !== 'number' || !Number.isFinite(expected)) expect(actual).toEqual(expected)
  else expect(Math.abs((actual as number) - expected)).toBeLessThanOrEqual(rounding)
}

const sumOfMagnitudes = ({ batches }: Case): number =>
  batches
    .flatMap(({ rows }) => rows.flat())
    .map(value => (typeof value === 'number' || typeof value === 'bigint' ? Math.abs(Number(value)) : 0))
    .reduce((sum, magnitude) => (Number.isFinite(magnitude) ? sum + magnitude : sum), 0)

/** A power of two, which is a float32 as well. */
const HUGE = 2 ** 60

/** Whether a sum of doubles overflows to infinity depends on their order: keep them below. */
const withoutHugeDoubles = ({ rows, keep }: SelectedRows): SelectedRows => ({
  keep,
  rows: rows.map(row =>
    row.map(value => (typeof value === 'number' && Number.isFinite(value) && Math.abs(value) > HUGE ? HUGE : value)),
  ),
})

const filled = (kernels: Kernels, { fields, spec }: Case, batches: readonly SelectedRows[]): GroupTable => {
  const table = kernels.groupTable({ fields }, spec)
  for (const { rows, keep } of batches) table.add(batchOf(fields, rows, keep))
  return table
}

describe.each(ALL_KERNELS)('a group table of %s', (_, kernels) => {
  it('groups and aggregates as plain code does, for all types of keys and values', () => {
    fc.assert(
      fc.property(cases, given => {
        const table = filled(kernels(), given, given.batches)
        const expected = groupPlainly(given.fields, given.spec, given.batches.flatMap(keptRows))
        expectSame(given, rowsOf(table.finish(table.all())), expected)
        expect(table.groups).toBe(expected.length)
        table.dispose()
      }),
      { numRuns: 400 },
    )
  })

  it('gives the same whatever tasks the rows fell to, whatever order partials come in, also through storage', () => {
    fc.assert(
      fc.property(cases, fc.nat({ max: 23 }), (given, order) => {
        const partials = given.batches.map(batch => {
          const table = filled(kernels(), given, [batch])
          const partial = decodeBatch(encodeBatch(table.all()))
          table.dispose()
          return partial
        })
        const merged = kernels().groupTable({ fields: given.fields }, given.spec)
        for (const partial of permuted(partials, order)) merged.merge(partial)
        const expected = groupPlainly(given.fields, given.spec, given.batches.flatMap(keptRows))
        expectSame(given, rowsOf(merged.finish(merged.all())), expected)
        merged.dispose()
      }),
      { numRuns: 400 },
    )
  })

  it('numbers rows by their groups, in the order in which groups came', () => {
    fc.assert(
      fc.property(cases, given => {
        const table = kernels().groupTable({ fields: given.fields }, { ...given.spec, aggregates: [] })
        const numbers = given.batches.map(({ rows, keep }) => {
          const batch = batchOf(given.fields, rows, keep)
          const into = new Int32Array(rows.length)
          table.number(batch, into)
          return [...into.subarray(0, rowCount(batch))]
        })
        const keys = rowsOf(table.all()).map(keyText)
        const rows = given.batches.flatMap(keptRows)
        const expected = rows.map(row => keyText(row.slice(0, given.spec.keys.length)))
        expect(numbers.flat().map(number => keys[number])).toEqual(expected)
        expect([...new Set(numbers.flat())]).toEqual(keys.map((_, number) => number))
        table.dispose()
      }),
    )
  })

  it('tells of exactly the groups touched since it was last asked', () => {
    fc.assert(
      fc.property(cases, given => {
        const table = kernels().groupTable({ fields: given.fields }, given.spec)
        const seen: Row[] = []
        for (const batch of given.batches) {
          table.add(batchOf(given.fields, batch.rows, batch.keep))
          const rows = keptRows(batch)
          seen.push(...rows)
          const keys = new Set(groupPlainly(given.fields, { ...given.spec, aggregates: [] }, rows).map(keyText))
          const expected = groupPlainly(given.fields, given.spec, seen).filter(row =>
            keys.has(keyText(row.slice(0, given.spec.keys.length))),
          )
          expectSame(given, rowsOf(table.finish(table.takeChanged())), expected)
          expect(table.takeChanged().length).toBe(0)
        }
        table.dispose()
      }),
    )
  })
})

const keyText = (key: Row): string => key.map(textOf).join(' | ')

/** The permutation with this number. */
const permuted = <T>(items: readonly T[], order: number): T[] => {
  const rest = [...items]
  let left = order
  return items.flatMap(() => {
    const at = left % rest.length
    left = Math.floor(left / rest.length)
    return rest.splice(at, 1)
  })
}
