import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MillraceError } from '../../../src/base/errors.ts'
import { columnBuilder, elementType } from '../../../src/columnar/column-builder.ts'
import { Int64Builder } from '../../../src/columnar/fixed-width-builders.ts'
import type { ColumnType } from '../../../src/columnar/schema.ts'
import { fieldOf, valuesOf } from './fixtures/json-records.ts'

const INT64_MAX = 2n ** 63n - 1n
const SAFE = Number.MAX_SAFE_INTEGER

/** For each type, values it takes, as the column shows them. */
const VALUES: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  bool: fc.boolean(),
  int32: fc.integer(),
  int64: fc.bigInt({ min: -INT64_MAX - 1n, max: INT64_MAX }),
  float32: fc.float(),
  float64: fc.double(),
  string: fc.string({ unit: 'binary', maxLength: 40 }),
  json: fc.json({ maxDepth: 1 }),
  bytes: fc.uint8Array({ maxLength: 40 }),
  timestamp: fc.integer({ min: -SAFE, max: SAFE }),
  date: fc.integer({ min: -1_000_000, max: 1_000_000 }),
}
const TYPES = Object.entries(VALUES)
const lists = TYPES.map(([type, value]) => [`list<${type}>`, fc.array(fc.option(value), { maxLength: 5 })] as const)
const ALL = [...TYPES, ...lists]

/** A timestamp goes in as a number and lies in the column as 64 bits. */
const shown = (type: string, value: unknown): unknown => {
  if (value === null) return null
  if (Array.isArray(value)) return value.map(element => shown(type.slice('list<'.length, -1), element))
  return type === 'timestamp' ? BigInt(value as number) : value
}

describe.each(ALL)('a builder of %s', (type, value) => {
  it('gives back values and nulls in order, batch after batch, whatever was rolled back', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.option(value).map(item => ({ item })) },
      { weight: 1, arbitrary: fc.nat({ max: 20 }).map(back => ({ back })) },
    )
    const batch = fc.array(step, { maxLength: 60 })
    fc.assert(
      fc.property(fc.array(batch, { maxLength: 3 }), fc.nat({ max: 4 }), (batches, capacity) => {
        const builder = columnBuilder(fieldOf('c', `${type}?`), capacity)
        for (const steps of batches) {
          const kept: unknown[] = []
          for (const taken of steps) {
            if ('back' in taken) {
              kept.splice(Math.max(0, kept.length - taken.back))
              builder.rollbackTo(kept.length)
            } else {
              builder.append(taken.item)
              kept.push(shown(type, taken.item))
            }
          }
          expect(builder.length).toBe(kept.length)
          const column = builder.finish()
          expect(valuesOf(column)).toEqual(kept)
          expect(column.length).toBe(kept.length)
          expect(column.validity === null).toBe(!kept.includes(null))
          expect(column.validity?.length ?? (kept.length + 7) >> 3).toBe((kept.length + 7) >> 3)
          expect(builder.length).toBe(0)
        }
      }),
    )
  })

  it('does not change a column that it handed out', () => {
    const first = fc.sample(value, { numRuns: 5, seed: 7 })
    const second = fc.sample(value, { numRuns: 9, seed: 8 })
    const builder = columnBuilder(fieldOf('c', type))
    for (const item of first) builder.append(item)
    const column = builder.finish()
    const before = valuesOf(column)
    for (const item of second) builder.append(item)
    builder.finish()
    expect(valuesOf(column)).toEqual(before)
  })

  it('takes no null where the column is not nullable', () => {
    const builder = columnBuilder(fieldOf('c', type))
    expect(() => builder.append(null)).toThrow(MillraceError)
    expect(() => builder.append(undefined)).toThrow(MillraceError)
    expect(() => builder.appendNull()).toThrow(/column c holds .*, but got null/)
    expect(builder.length).toBe(0)
  })
})

describe('a value that a column does not hold', () => {
  it.each([
    ['bool', 1],
    ['int32', 1.5],
    ['int32', 2 ** 31],
    ['int32', '1'],
    ['int32', 1n],
    ['int64', 2 ** 53],
    ['int64', 0.5],
    ['int64', INT64_MAX + 1n],
    ['float64', 1n],
    ['float32', '1.5'],
    ['string', 1],
    ['string', new Uint8Array(1)],
    ['json', { a: 1 }],
    ['bytes', 'text'],
    ['bytes', [1, 2]],
    ['timestamp', new Date(0)],
    ['timestamp', 1.5],
    ['timestamp', 1n],
    ['date', '2024-01-01'],
    ['list<int32>', 1],
    ['list<int32>', [1, 'x']],
  ])('%s refuses %s, names the column and keeps its rows', (type, value) => {
    const builder = columnBuilder(fieldOf('watched', `${type}?`))
    builder.append(null)
    const fault = failureOf(() => builder.append(value))
    expect(fault.code).toBe('STAGE_FAILED')
    expect(fault.message).toContain('column watched')
    expect(fault.message).toContain(elementType(type as ColumnType))
    expect(fault.remedy).not.toBe('')
    builder.append(null)
    expect(valuesOf(builder.finish())).toEqual([null, null])
  })
})

const failureOf = (work: () => void): MillraceError => {
  try {
    work()
  } catch (error) {
    if (error instanceof MillraceError) return error
  }
  throw new Error('a MillraceError was expected')
}

describe('an int64 builder', () => {
  it('takes safe integers and pairs of words', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.bigInt({ min: -INT64_MAX - 1n, max: INT64_MAX }), (safe, wide) => {
        const builder = new Int64Builder(fieldOf('c', 'int64'))
        builder.append(safe)
        builder.appendFirst(Float64Array.of(safe))
        builder.appendInt64Parts(Number(wide >> 32n), Number(wide & 0xffff_ffffn))
        expect(valuesOf(builder.finish())).toEqual([BigInt(safe), BigInt(safe), wide])
      }),
    )
  })
})

describe('a string builder', () => {
  it('turns a lone surrogate into U+FFFD', () => {
    const builder = columnBuilder(fieldOf('c', 'string'))
    builder.append('a\ud800b')
    expect(valuesOf(builder.finish())).toEqual(['a\ufffdb'])
  })

  it('holds long values and short ones', () => {
    const values = [0, 1, 3, 4, 5, 4095, 4096, 10_000, 2].map(length => Buffer.alloc(length, 'abcdefg'))
    const builder = columnBuilder(fieldOf('c', 'bytes'), 1)
    for (const value of values) builder.append(new Uint8Array(value))
    expect(valuesOf(builder.finish())).toEqual(values.map(value => new Uint8Array(value)))
  })
})
