import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { AFTER_ALL_TIME, BEFORE_ALL_TIME, durationMs, epochMs } from '../../../src/base/units.ts'
import type { ColumnBatch } from '../../../src/columnar/column-batch.ts'
import { int64Words, readInt64, writeInt64 } from '../../../src/columnar/int64-words.ts'
import { tableSchema } from '../../../src/columnar/schema.ts'
import { stageCounters, toLedger } from '../../../src/executor/stages/stage.ts'
import { windowAssigner } from '../../../src/executor/window-rows.ts'

const input = tableSchema([{ name: 'at', type: 'timestamp', nullable: true }])
const batchOf = (times: readonly (number | bigint | null)[]): ColumnBatch => {
  const validity = new Uint8Array((times.length + 7) >> 3)
  for (const [row, time] of times.entries())
    if (time !== null) validity[row >> 3] = (validity[row >> 3] as number) | (1 << (row & 7))
  const values = BigInt64Array.from(times, time => BigInt(time ?? 0))
  const column = { kind: 'timestamp', length: times.length, validity, values } as const
  return { schema: input, columns: [column], length: times.length, selection: null, origin: null }
}
const assign = (
  at: readonly (number | bigint | null)[],
  { size = 10_000, offset = 0, watermark = BEFORE_ALL_TIME as number, cap = AFTER_ALL_TIME as number },
) => {
  const counters = stageCounters()
  const window = { sizeMs: durationMs(size), offsetMs: durationMs(offset), eventTime: 'at', delayMs: durationMs(0) }
  const limits = { watermark: epochMs(watermark), maxEventTime: epochMs(cap), wanted: null }
  const assigner = windowAssigner(window, input, limits, counters)
  const { starts, selection } = assigner.assign(batchOf(at))
  const rows = [...(selection ?? at.keys())]
  const times = assigner.takeEventTimes()
  return {
    starts: rows.map(row => Number(starts.values[row])),
    rows,
    dropped: toLedger('window', counters).dropped,
    maxEventTime: times.greatest,
    rowsAhead: times.rowsAhead,
  }
}

test('64-bit values survive as two words, negative ones too', () => {
  const values = new BigInt64Array(3)
  const words = int64Words(values.subarray(1))
  fc.assert(
    fc.property(fc.maxSafeInteger(), value => {
      writeInt64(words, 1, value)
      expect(values[2]).toBe(BigInt(value))
      expect(readInt64(words, 1)).toBe(value)
    }),
  )
})

test('a window holds its start and not its end, before 1970 too', () => {
  expect(assign([0, 9_999, 10_000, -1, -10_000, -10_001], {}).starts).toEqual([0, 0, 10_000, -10_000, -10_000, -20_000])
  expect(assign([3_000, 2_999, -7_000, -7_001], { offset: 3_000 }).starts).toEqual([3_000, -7_000, -7_000, -17_000])
  fc.assert(
    fc.property(
      fc.integer({ min: -8e15, max: 8e15 }),
      fc.integer({ min: 1, max: 86_400_000 }),
      fc.nat(),
      (time, size, shift) => {
        const offset = shift % size
        const [start] = assign([time], { size, offset }).starts
        expect(BigInt(time) - BigInt(start as number)).toBeLessThan(size)
        expect(time).toBeGreaterThanOrEqual(start as number)
        expect((BigInt(start as number) - BigInt(offset)) % BigInt(size)).toBe(0n)
      },
    ),
  )
})

test('late is what lies in a window that ends at or before the watermark of the plan', () => {
  const { rows, dropped } = assign([9_999, 10_000, 19_999, 20_000, null], { watermark: 20_000 })
  expect(rows).toEqual([3])
  expect(dropped).toEqual({ late: 3, nullEventTime: 1 })
  expect(assign([10_000], { watermark: 19_999 }).rows).toEqual([0])
})

test('late rows count for the greatest event time; times beyond the limit are kept and do not', () => {
  expect(assign([5_000, 1_000, null], { watermark: 50_000 }).maxEventTime).toBe(5_000)
  const ahead = assign([5_000, 9_000_000, 7_000], { cap: 7_000 })
  expect(ahead).toMatchObject({ maxEventTime: 7_000, rowsAhead: 1, starts: [0, 9_000_000, 0] })
  expect(assign([9_000_000], { cap: 7_000 }).maxEventTime).toBeNull()
  expect(assign([null], {}).maxEventTime).toBeNull()
})

test('an event time that is no date is dropped and moves nothing', () => {
  const { rows, dropped, maxEventTime } = assign([9_000_000_000_000_000_000n, -9_000_000_000_000_000_000n, 5], {})
  expect(rows).toEqual([2])
  expect(dropped).toEqual({ eventTimeOutOfRange: 2 })
  expect(maxEventTime).toBe(5)
})
