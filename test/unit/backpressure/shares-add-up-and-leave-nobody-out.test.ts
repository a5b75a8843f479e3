import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { explainBatch } from '../../../src/backpressure/explain.ts'
import { type BatchLimit, rateController } from '../../../src/backpressure/rate-controller.ts'
import { shareByLag, type WaitingPartition } from '../../../src/backpressure/share-by-lag.ts'
import { type BatchId, batchId, durationMs, offset, rowsPerSecond } from '../../../src/base/units.ts'

const waiting = (from: number, lag: number, partition = 0): WaitingPartition => ({
  topic: 'plays',
  partition,
  from: offset(from),
  latest: offset(from + lag),
})

const arbitraryOffset = fc.integer({ min: 0, max: 2 ** 52 })
const somethingWaits = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 2 ** 30 }))
const arbitraryLag = fc.oneof(fc.constant(0), somethingWaits)
const partitionsUpTo = (maxLength: number, { minLength = 1, lag = arbitraryLag } = {}) =>
  fc
    .array(fc.tuple(arbitraryOffset, lag), { minLength, maxLength })
    .map(each => each.map(([from, rows], at) => waiting(from, rows, at)))
const arbitraryRows = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.nat(2 ** 32), fc.constant(Infinity))
const arbitraryBatch = fc.nat().map(batchId)
const FIRST = batchId(0)

const sharesOf = (rows: number, partitions: readonly WaitingPartition[], batch: BatchId): readonly number[] =>
  shareByLag(rows, partitions, batch).map((until, at) => until - (partitions[at]?.from ?? 0))
const lagOf = ({ from, latest }: WaitingPartition): number => latest - from
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

describe('shares add up and leave nobody out', () => {
  it('sums to the limit or to all that waits, in whole rows, and takes from no partition more than waits there', () => {
    fc.assert(
      fc.property(arbitraryRows, partitionsUpTo(300), arbitraryBatch, (rows, partitions, batch) => {
        const shares = sharesOf(rows, partitions, batch)
        expect(sum(shares)).toBe(Math.min(rows, sum(partitions.map(lagOf))))
        expect(sharesOf(rows, partitions, batch)).toEqual(shares)
        for (const [at, share] of shares.entries()) {
          expect(Number.isSafeInteger(share)).toBe(true)
          expect(share).toBeGreaterThanOrEqual(0)
          expect(share).toBeLessThanOrEqual(lagOf(partitions[at] as WaitingPartition))
        }
      }),
    )
  })

  it('gives every partition where rows wait a row at least, if there is one for each of up to 32', () => {
    fc.assert(
      fc.property(partitionsUpTo(32), fc.nat(1000), arbitraryBatch, (partitions, more, batch) => {
        const rows = partitions.filter(each => lagOf(each) > 0).length + more
        for (const [at, share] of sharesOf(rows, partitions, batch).entries()) {
          if (lagOf(partitions[at] as WaitingPartition) > 0) expect(share).toBeGreaterThanOrEqual(1)
        }
      }),
    )
  })

  it('keeps within a row or two of the exact proportion for up to 32 partitions', () => {
    const arbitraryLimit = fc.integer({ min: 100, max: 10_000 })
    fc.assert(
      fc.property(arbitraryLimit, partitionsUpTo(32), arbitraryBatch, (rows, partitions, batch) => {
        const total = sum(partitions.map(lagOf))
        fc.pre(total > rows)
        const count = partitions.length
        for (const [at, share] of sharesOf(rows, partitions, batch).entries()) {
          const exact = (rows * lagOf(partitions[at] as WaitingPartition)) / total
          // each partition's first row comes before the proportion
          expect(share).toBeGreaterThanOrEqual(Math.floor(exact * (1 - count / rows)) - 1)
          expect(share).toBeLessThanOrEqual(Math.ceil(exact) + 2)
        }
      }),
    )
  })

  it('divides 100 rows among lags of 10, 30 and 60 as 10, 30 and 60 would have it', () => {
    expect(sharesOf(50, [waiting(7, 10, 0), waiting(0, 30, 1), waiting(100, 60, 2)], FIRST)).toEqual([5, 15, 30])
    expect(sharesOf(Infinity, [waiting(7, 10, 0), waiting(0, 0, 1)], FIRST)).toEqual([10, 0])
  })
})

describe('many partitions take turns instead of getting slivers', () => {
  const evenly = (count: number, lag: number) => Array.from({ length: count }, (_, at) => waiting(0, lag, at))

  it('reads 4,096 rows or all that waits from each that is served, or a thirty-second of the limit', () => {
    const arbitraryLimit = fc.integer({ min: 64, max: 2 ** 20 })
    const manyWait = partitionsUpTo(300, { minLength: 33, lag: somethingWaits })
    fc.assert(
      fc.property(arbitraryLimit, manyWait, arbitraryBatch, (rows, partitions, batch) => {
        const least = Math.min(4096, Math.floor(rows / 32))
        const slivers = sharesOf(rows, partitions, batch).filter(
          (share, at) => share > 0 && share < Math.min(least, lagOf(partitions[at] as WaitingPartition)),
        )
        // what is left of the limit when the last of them is served
        expect(slivers.length).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('serves everybody in a round of batches, whatever the limits are and whoever waits besides', () => {
    const limits = fc.array(fc.integer({ min: 1, max: 10_000 }), { minLength: 64, maxLength: 64 })
    fc.assert(
      fc.property(limits, partitionsUpTo(64), arbitraryBatch, (rowsOfBatches, partitions, start) => {
        const served = new Set<number>()
        for (const [at, rows] of rowsOfBatches.entries()) {
          // what was read waits again: nothing but a turn brings a partition forward
          for (const [place, share] of sharesOf(rows, partitions, batchId(start + at)).entries()) {
            if (share > 0) served.add(place)
          }
        }
        expect(served.size).toBe(partitions.filter(each => lagOf(each) > 0).length)
      }),
    )
  })

  it('serves everybody within four batches where a quarter is served in each', () => {
    const partitions = evenly(256, 1_000_000)
    for (let start = 0; start < 256; start += 1) {
      const rounds = Array.from({ length: 4 }, (_, at) => sharesOf(64 * 4096, partitions, batchId(start + at)))
      expect(rounds.map(shares => shares.filter(share => share === 4096).length)).toEqual([64, 64, 64, 64])
      expect(partitions.every((_, place) => sum(rounds.map(shares => shares[place] ?? 0)) === 4096)).toBe(true)
    }
  })

  it('changes nothing where there are rows enough for all', () => {
    expect(sharesOf(256 * 5000, evenly(256, 10_000), FIRST)).toEqual(evenly(256, 5000).map(lagOf))
    expect(sharesOf(300, evenly(256, 1), FIRST)).toEqual(evenly(256, 1).map(lagOf))
  })

  it('also lets few partitions take turns where there are fewer rows than partitions', () => {
    const three = evenly(3, 5)
    const rounds = [0, 1, 2, 3].map(batch => sharesOf(1, three, batchId(batch)))
    expect(rounds.map(shares => shares.indexOf(1))).toEqual([0, 1, 2, 1])
  })
})

const limitOf = (fields: Partial<BatchLimit>): BatchLimit => ({
  maxRows: 100,
  boundBy: 'rate',
  rate: rowsPerSecond(100),
  intervalMs: durationMs(1000),
  overheadMs: durationMs(12.4),
  bytesPerRow: null,
  outputPerRow: null,
  ...fields,
})

describe('an explanation says what bound a batch', () => {
  const partitions = [waiting(5, 300), waiting(0, 20, 1)]

  it('names the smaller of the learned limit and the cap that the user set', () => {
    expect(explainBatch(limitOf({}), null, partitions, [])).toMatchObject({
      boundBy: 'rate',
      maxRows: 100,
      limited: true,
    })
    expect(explainBatch(limitOf({}), 40, partitions, [])).toMatchObject({
      boundBy: 'maxOffsetsPerTrigger',
      maxRows: 40,
    })
    expect(explainBatch(limitOf({}), 140, partitions, [])).toMatchObject({ boundBy: 'rate', maxRows: 100 })
    expect(explainBatch(limitOf({ boundBy: 'bytes' }), null, partitions, [])).toMatchObject({ boundBy: 'bytes' })
  })

  it('says that nothing is held back where all may come', () => {
    expect(explainBatch(limitOf({ maxRows: 320 }), null, partitions, [])).toMatchObject({
      limited: false,
      maxRows: 320,
    })
    const unlimited = limitOf({ maxRows: Infinity, boundBy: 'nothing', rate: rowsPerSecond(Infinity) })
    const explanation = explainBatch(unlimited, null, partitions, shareByLag(Infinity, partitions, FIRST))
    expect(explanation).toMatchObject({ limited: false, maxRows: 320, boundBy: 'nothing' })
    expect(explanation.lines.join('\n')).not.toMatch(/Infinity|NaN/)
  })

  it('tells in lines what waits, what comes, and from which offsets', () => {
    const untils = shareByLag(100, partitions, FIRST)
    const { lines } = explainBatch(limitOf({ bytesPerRow: 380.4 }), null, partitions, untils)
    expect(lines).toEqual([
      '320 rows wait; at most 100 may come, bound by rate',
      'rate 100 rows/s over 1000 ms, of which a batch itself takes 12 ms',
      'a row has 380 bytes',
      'plays/0: 93 of 300 rows, offsets 5 to 98',
      'plays/1: 7 of 20 rows, offsets 0 to 7',
    ])
  })
})

describe('a batch is bounded in bytes as well', () => {
  const options = {
    enabled: false,
    initialRate: rowsPerSecond(1000),
    minRate: rowsPerSecond(100),
    maxRate: null,
    growth: 2,
    proportional: 1,
    integral: 0.2,
    derivative: 0,
    maxBatchBytes: 1_000_000,
    maxOutputBytes: 500_000,
  }
  const batch = (rows: number, bytes: number, outputBytes = 0) => ({
    rows,
    bytes,
    outputBytes,
    processingDelayMs: durationMs(10),
    schedulingDelayMs: durationMs(0),
    intervalMs: durationMs(1000),
    limited: true,
  })

  it('also where the rate is not limited: by the bytes of a row as learned, with one row at least', () => {
    const controller = rateController(options)
    expect(controller.limit(durationMs(1000))).toMatchObject({ maxRows: Infinity, boundBy: 'nothing' })
    controller.observe(batch(100, 100_000))
    expect(controller.limit(durationMs(1000))).toMatchObject({ maxRows: 1000, boundBy: 'bytes', bytesPerRow: 1000 })
    for (let at = 0; at < 100; at += 1) controller.observe(batch(1, 5_000_000))
    expect(controller.limit(durationMs(1000))).toMatchObject({ maxRows: 1, boundBy: 'bytes' })
  })

  it('and by the bytes that its tasks give, which wait in memory for its end; a restart remembers them', () => {
    const controller = rateController(options)
    controller.observe(batch(100, 1000, 100_000))
    const limit = { maxRows: 500, boundBy: 'output', bytesPerRow: 10, outputPerRow: 1000 }
    expect(controller.limit(durationMs(1000))).toMatchObject(limit)
    expect(rateController(options, controller.snapshot()).limit(durationMs(1000))).toMatchObject(limit)
  })
})
