import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { aggregateResultType, partialFields } from '../../../src/columnar/aggregate-types.ts'
import type { Column } from '../../../src/columnar/column.ts'
import type { AggregateFunction, AggregateSpec, GroupTable } from '../../../src/columnar/group-table.ts'
import { materialize } from '../../../src/columnar/row-view.ts'
import type { ColumnType } from '../../../src/columnar/schema.ts'
import { decodeBatch, encodeBatch } from '../../../src/columnar/serialize.ts'
import { createGroupTable } from '../../../src/columnar/typescript/group-table.ts'
import { ALL_KERNELS } from '../../support/wasm-kernels.ts'
import { batchOf, type Row } from './fixtures/batches.ts'
import { fieldOf } from './fixtures/json-records.ts'

const INT64_MAX = 2n ** 63n - 1n
const INT64_MIN = -(2n ** 63n)
const ROWS: AggregateSpec = { fn: 'count', column: null, as: 'rows', type: 'int64' }
const over = (fn: AggregateFunction, column: string, input: ColumnType): AggregateSpec => ({
  fn,
  column,
  as: 'result',
  type: aggregateResultType(fn, input),
})

/** The result of one aggregate over all these values, in one group; the same from all kernels. */
const resultOf = (fn: AggregateFunction, type: string, values: readonly unknown[]): unknown => {
  const fields = [fieldOf('v', `${type}?`)]
  const spec = { keys: [], aggregates: [over(fn, 'v', type as ColumnType)] }
  const rows = values.map(value => [value])
  const [result, ...others] = ALL_KERNELS.map(([, kernels]) => {
    const table = kernels().groupTable({ fields }, spec)
    try {
      table.add(batchOf(fields, rows))
      return materialize(table.finish(table.all()))[0]?.['result']
    } catch (error) {
      return error
    } finally {
      table.dispose()
    }
  })
  for (const other of others) expect(other).toEqual(result)
  if (result instanceof Error) throw result
  return result
}

const overflow = expect.objectContaining({ code: 'INTEGER_OVERFLOW' })

describe('integer sums', () => {
  it('are exact to the ends of 64 bits, and refused beyond them', () => {
    const longs = fc.array(fc.bigInt({ min: INT64_MIN, max: INT64_MAX }), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(longs, values => {
        let sum = 0n
        const fits = values.every(value => {
          sum += value
          return sum >= INT64_MIN && sum <= INT64_MAX
        })
        if (fits) expect(resultOf('sum', 'int64', values)).toBe(sum)
        else expect(() => resultOf('sum', 'int64', values)).toThrow(overflow)
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    [[INT64_MAX - 1n, 1n], INT64_MAX],
    [[INT64_MIN + 1n, -1n], INT64_MIN],
    [[INT64_MAX, INT64_MIN], -1n],
    [[0xffff_ffffn, 1n], 0x1_0000_0000n],
    [[-1n, 1n], 0n],
    [[2n ** 53n, 1n], 2n ** 53n + 1n],
  ])('of %s', (values, sum) => {
    expect(resultOf('sum', 'int64', values)).toBe(sum)
  })

  it('are refused one beyond', () => {
    expect(() => resultOf('sum', 'int64', [INT64_MAX, 1n])).toThrow(overflow)
    expect(() => resultOf('sum', 'int64', [INT64_MIN, -1n])).toThrow(overflow)
  })

  it('of int32 leave 32 bits', () => {
    const greatest = 2 ** 31 - 1
    expect(resultOf('sum', 'int32', [greatest, greatest, greatest])).toBe(3n * BigInt(greatest))
    expect(resultOf('sum', 'int32', [-greatest, -greatest, -greatest])).toBe(-3n * BigInt(greatest))
  })
})

describe('aggregates over no value', () => {
  it.each(['sum', 'min', 'max', 'avg'] as const)('%s is null', fn => {
    expect(resultOf(fn, 'int32', [null, null])).toBeNull()
    expect(resultOf(fn, 'float64', [null])).toBeNull()
  })

  it('count is 0', () => {
    expect(resultOf('count', 'float64', [null, null])).toBe(0n)
  })

  it('no row at all makes no group, as in a GROUP BY', () => {
    expect(resultOf('count', 'int32', [])).toBeUndefined()
  })
})

describe('least and greatest', () => {
  it('hold NaN for the greatest number and know one zero', () => {
    expect(resultOf('max', 'float64', [1, Number.NaN, Infinity])).toBeNaN()
    expect(resultOf('min', 'float64', [Number.NaN, 1])).toBe(1)
    expect(resultOf('min', 'float64', [Number.NaN])).toBeNaN()
    expect(resultOf('max', 'float32', [-0, 0])).toBe(0)
    expect(resultOf('min', 'float64', [-0, 0])).toBe(0)
  })

  it('tell apart integers that are one double', () => {
    const values = [2n ** 53n, 2n ** 53n + 1n, 0xffff_ffffn, -1n]
    expect(resultOf('max', 'int64', values)).toBe(2n ** 53n + 1n)
    expect(resultOf('min', 'int64', values)).toBe(-1n)
    expect(resultOf('min', 'int64', [INT64_MAX, INT64_MIN])).toBe(INT64_MIN)
  })

  it('order strings by code point, not by UTF-16 unit', () => {
    expect(resultOf('max', 'string', ['\u{ffff}', '😀', 'z'])).toBe('😀')
    expect(resultOf('min', 'string', ['b', 'ab', 'a', ''])).toBe('')
  })

  it('of strings stay right for many groups whose values grow and shrink', () => {
    const step = fc.tuple(fc.nat({ max: 40 }), fc.string({ maxLength: 60, size: 'max' }))
    const steps = fc.array(step, { maxLength: 400, size: 'max' })
    const fields = [fieldOf('k', 'int32'), fieldOf('v', 'string')]
    fc.assert(
      fc.property(steps, fc.constantFrom('min' as const, 'max' as const), (rows, fn) => {
        const table = createGroupTable({ fields }, { keys: ['k'], aggregates: [over(fn, 'v', 'string')] })
        const best = new Map<number, string>()
        for (const [key, value] of rows) {
          const held = best.get(key)
          const compared = held === undefined ? 0 : Buffer.compare(Buffer.from(value), Buffer.from(held))
          if (held === undefined || (fn === 'min' ? compared < 0 : compared > 0)) best.set(key, value)
        }
        for (let at = 0; at < rows.length; at += 50) table.add(batchOf(fields, rows.slice(at, at + 50)))
        expect(new Map(materialize(table.all()).map(row => [row['k'], row['result']]))).toEqual(best)
      }),
    )
  })
})

describe('memory of a greatest string', () => {
  it('follows what is held, not what was held before', () => {
    const fields = [fieldOf('v', 'string')]
    const table = createGroupTable({ fields }, { keys: [], aggregates: [over('max', 'v', 'string')] })
    for (let at = 0; at < 20_000; at += 1000) {
      table.add(
        batchOf(
          fields,
          Array.from({ length: 1000 }, (_, row) => ['a'.repeat(1 + (at + row) / 20)]),
        ),
      )
    }
    expect(materialize(table.all())[0]?.['result']).toBe('a'.repeat(1000))
    expect(table.byteSize).toBeLessThan(20_000)
  })
})

describe('group keys', () => {
  it('take every NaN for one value, whatever its bits', () => {
    const doubles = new BigUint64Array([0x7ff8_0000_0000_0000n, 0x7ff8_0000_0000_0001n, 0xfff8_0000_0000_0000n])
    const floats = new Uint32Array([0x7fc0_0000, 0x7fc0_0001, 0xffc0_0000])
    const base = { length: 3, validity: null }
    expect(groupsOf({ ...base, kind: 'float64', values: new Float64Array(doubles.buffer) })).toBe(1)
    expect(groupsOf({ ...base, kind: 'float32', values: new Float32Array(floats.buffer) })).toBe(1)
  })

  it('take -0 and 0 for one value and a null for none of them', () => {
    const fields = [fieldOf('k', 'float64?')]
    const table = createGroupTable({ fields }, { keys: ['k'], aggregates: [ROWS] })
    table.add(batchOf(fields, [[0], [-0], [null], [0]]))
    expect(materialize(table.all()).map(row => [row['k'], row['rows']])).toEqual([
      [0, 3n],
      [null, 1n],
    ])
  })

  it('do not see what lies under a null', () => {
    const validity = Uint8Array.of(0b100)
    expect(groupsOf({ kind: 'int32', length: 3, validity, values: Int32Array.of(1, 2, 0) })).toBe(2)
    const bytes = Uint8Array.of(0x61, 0x62)
    expect(groupsOf({ kind: 'string', length: 3, validity, offsets: Int32Array.of(0, 1, 2, 2), bytes })).toBe(2)
  })
})

const groupsOf = (column: Column): number => {
  const fields = [fieldOf('k', `${column.kind}?`)]
  const table = createGroupTable({ fields }, { keys: ['k'], aggregates: [ROWS] })
  table.add({ schema: { fields }, columns: [column], length: column.length, selection: null, origin: null })
  return table.groups
}

describe('counts', () => {
  it('go beyond 32 bits', () => {
    const table = createGroupTable({ fields: [fieldOf('k', 'int32')] }, { keys: ['k'], aggregates: [ROWS] })
    const part = batchOf(table.partialSchema.fields, [
      [1, 2n ** 40n + 5n],
      [2, 0xffff_ffffn],
    ])
    table.merge(part)
    table.merge(part)
    expect(materialize(table.all()).map(row => row['rows'])).toEqual([2n ** 41n + 10n, 2n * 0xffff_ffffn])
  })
})

describe('many groups', () => {
  // so many that some of their 32-bit hashes are equal, although the first word of all keys is the same
  it('200,000 of them are kept apart, stored and merged', () => {
    const fields = [fieldOf('one', 'int32'), fieldOf('t', 'timestamp'), fieldOf('k', 'int32'), fieldOf('s', 'string')]
    const spec = { keys: ['one', 't', 'k'], aggregates: [ROWS, over('max', 's', 'string')] }
    const rows = Array.from({ length: 200_000 }, (_, at): Row => [1, at * 104_729, at * 4096, `user ${at}`])
    const table = createGroupTable({ fields }, spec)
    const empty = table.byteSize
    for (let at = 0; at < rows.length; at += 20_000) table.add(batchOf(fields, rows.slice(at, at + 20_000)))
    expect(table.groups).toBe(rows.length)
    expect(table.byteSize).toBeGreaterThan(empty + rows.length * 20)

    const merged = createGroupTable({ fields }, spec)
    merged.merge(decodeBatch(encodeBatch(table.all())))
    merged.merge(table.all())
    expect(merged.groups).toBe(rows.length)
    expect(wrongGroups(merged, rows)).toEqual([])
  })
})

const wrongGroups = (table: GroupTable, rows: readonly Row[]): readonly unknown[] =>
  materialize(table.all()).filter((row, at) => {
    const [, t, k, s] = rows[at] ?? []
    return row['t'] !== t || row['k'] !== k || row['result'] !== s || row['rows'] !== 2n
  })

describe('types of aggregates', () => {
  const invalid = expect.objectContaining({ code: 'INVALID_PIPELINE' })

  it('follow from the function and its column', () => {
    expect(aggregateResultType('count', 'list<json>')).toBe('int64')
    expect(aggregateResultType('count', null)).toBe('int64')
    expect(aggregateResultType('sum', 'int32')).toBe('int64')
    expect(aggregateResultType('sum', 'float32')).toBe('float64')
    expect(aggregateResultType('avg', 'int64')).toBe('float64')
    expect(aggregateResultType('max', 'timestamp')).toBe('timestamp')
  })

  it.each([
    ['sum', 'timestamp'],
    ['sum', 'string'],
    ['avg', 'bool'],
    ['min', 'json'],
    ['max', 'bytes'],
    ['min', 'bool'],
    ['max', 'list<int32>'],
    ['min', null],
  ] as const)('%s of %s is refused', (fn, type) => {
    expect(() => aggregateResultType(fn, type)).toThrow(invalid)
  })

  it('tell the accumulator columns that partials have', () => {
    const names = (fn: AggregateFunction) => partialFields(over(fn, 'v', 'int32')).map(({ name, type }) => [name, type])
    expect(names('max')).toEqual([['result', 'int32']])
    expect(names('avg')).toEqual([
      ['result#sum', 'float64'],
      ['result#count', 'int64'],
    ])
  })
})
