import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { typescriptKernels } from '../../../src/columnar/typescript/index.ts'
import { partitioner } from '../../../src/sinks/partition-by.ts'
import { batchOf, schemaOf } from './fixtures/batches.ts'

const SCHEMA = schemaOf({ time: 'timestamp?', row: 'int32' })
const byHour = () => partitioner(SCHEMA, { kind: 'hour', column: 'time' }, typescriptKernels)
const NOWHERE = 'date=__HIVE_DEFAULT_PARTITION__/hour=__HIVE_DEFAULT_PARTITION__'

const split = (times: readonly (number | null)[], selection: readonly number[] | null = null) => {
  const batch = batchOf(
    SCHEMA,
    times.map((time, row) => [time, row]),
    selection,
  )
  const slices = byHour().split(batch)
  return slices.map(({ partition, rows }): readonly [string, readonly number[]] => [
    partition,
    rows.kind === 'list' ? [...rows.rows] : Array.from({ length: rows.until - rows.from }, (_, at) => rows.from + at),
  ])
}

const folderOf = (time: number): string => {
  const iso = new Date(time).toISOString()
  return `date=${iso.slice(0, 10)}/hour=${iso.slice(11, 13)}`
}

describe('rows land in the folder of their hour', () => {
  it('cuts exactly at the hour, in UTC', () => {
    const border = Date.UTC(2026, 0, 15, 10)
    expect(split([border - 1, border, border + 3_599_999, border + 3_600_000])).toEqual([
      ['date=2026-01-15/hour=09', [0]],
      ['date=2026-01-15/hour=10', [1, 2]],
      ['date=2026-01-15/hour=11', [3]],
    ])
  })

  it('counts hours down before 1970', () => {
    expect(split([-1, 0, -3_600_000, -3_600_001])).toEqual([
      ['date=1969-12-31/hour=23', [0, 2]],
      ['date=1970-01-01/hour=00', [1]],
      ['date=1969-12-31/hour=22', [3]],
    ])
  })

  it('puts rows without a time, and times without a four-digit year, into the folder for nulls', () => {
    const tooEarly = Date.parse('0001-01-01T00:00:00Z') - 1
    const tooLate = Date.UTC(9999, 11, 31, 23, 59, 59, 999) + 1
    expect(split([null, tooEarly, tooLate, 8_640_000_000_000_001, -9_007_199_254_740_991])).toEqual([
      [NOWHERE, [0, 1, 2, 3, 4]],
    ])
    expect(split([tooEarly + 1, tooLate - 1]).map(([partition]) => partition)).toEqual([
      'date=0001-01-01/hour=00',
      'date=9999-12-31/hour=23',
    ])
  })

  it('gives a batch of one hour as one run of rows, without a list', () => {
    const batch = batchOf(SCHEMA, [
      [5, 0],
      [6, 1],
      [7, 2],
    ])
    expect(byHour().split(batch)).toEqual([
      { partition: 'date=1970-01-01/hour=00', rows: { kind: 'range', from: 0, until: 3 } },
    ])
  })

  it('loses no row, invents none, and keeps their order, for any times and selection', () => {
    const time = fc.option(
      fc.oneof(fc.integer({ min: -9e7, max: 9e7 }), fc.integer({ min: -8.6e15, max: 8.6e15 }), fc.maxSafeInteger()),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(time, fc.boolean()), { maxLength: 60 }), rows => {
        const times = rows.map(([value]) => value)
        const selection = rows.flatMap(([, selected], row) => (selected ? [row] : []))
        const expected = new Map<string, number[]>()
        for (const row of selection) {
          const value = times[row] ?? null
          const named = value !== null && value >= -62_135_596_800_000 && value < 253_402_300_800_000
          const folder = named ? folderOf(value) : NOWHERE
          expected.set(folder, [...(expected.get(folder) ?? []), row])
        }
        expect(split(times, selection)).toEqual([...expected])
      }),
    )
  })

  it.each(['date', 'Hour'])('refuses a column named %s, which readers would take the folder for', name => {
    const schema = schemaOf({ time: 'timestamp', [name]: 'string' })
    expect(() => partitioner(schema, { kind: 'hour', column: 'time' }, typescriptKernels)).toThrow(
      /has the name of a folder/,
    )
    expect(() => partitioner(schema, { kind: 'columns', columns: [name] }, typescriptKernels)).not.toThrow()
  })

  it('refuses a column that is no timestamp, or not there', () => {
    expect(() => partitioner(SCHEMA, { kind: 'hour', column: 'row' }, typescriptKernels)).toThrow(/no timestamp/)
    expect(() => partitioner(SCHEMA, { kind: 'hour', column: 'tyme' }, typescriptKernels)).toThrow(
      /not one of its columns/,
    )
  })
})
