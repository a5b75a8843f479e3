import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type RateOptions, rateController } from '../../../src/backpressure/rate-controller.ts'
import { type Random, seededRandom } from '../../../src/base/random.ts'
import { durationMs, rowsPerSecond } from '../../../src/base/units.ts'

const OPTIONS: RateOptions = {
  enabled: true,
  initialRate: rowsPerSecond(1000),
  minRate: rowsPerSecond(100),
  maxRate: null,
  growth: 2,
  proportional: 1,
  integral: 0.2,
  derivative: 0,
  maxBatchBytes: 1e12,
  maxOutputBytes: 1e12,
}
const INTERVAL = durationMs(1000)

interface Sink {
  /** Rows per second that it bears. */
  readonly bears: number
  readonly overheadMs: number
}

/** Runs batches against a sink while more rows wait than it bears; answers the rate at which rows went in, per batch. */
const runAgainst = (
  sinkAt: (batch: number) => Sink,
  batches: number,
  random: Random,
  controller = rateController(OPTIONS),
): readonly number[] => {
  let now = 0
  let triggeredAt = 0
  return Array.from({ length: batches }, (_, batch) => {
    const { bears, overheadMs } = sinkAt(batch)
    const rows = controller.limit(INTERVAL).maxRows
    const noise = 0.9 + 0.2 * random.next()
    const processing = overheadMs + (rows / (bears * noise)) * 1000
    controller.observe({
      rows,
      bytes: rows * 100,
      outputBytes: 0,
      processingDelayMs: durationMs(processing),
      schedulingDelayMs: durationMs(now - triggeredAt),
      intervalMs: INTERVAL,
      limited: true,
    })
    // ticks that pass while a batch runs are left out; the batch after it starts at once, by the last of them
    now += processing
    const nextTick = triggeredAt + INTERVAL
    triggeredAt = now <= nextTick ? nextTick : now - (now % INTERVAL)
    now = Math.max(now, triggeredAt)
    return rows
  })
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

describe('the rate follows what the sink bears', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'within a fifth from the tenth batch on, through a tenfold slowdown and back (seed %i)',
    seed => {
      const bears = (batch: number): number => (batch >= 30 && batch < 60 ? 2000 : 20_000)
      const rows = runAgainst(batch => ({ bears: bears(batch), overheadMs: 20 }), 90, seededRandom(seed))
      for (const [from, until] of [
        [10, 30],
        [40, 60],
        [70, 90],
      ] as const) {
        const capacity = bears(from) * 0.98
        expect(mean(rows.slice(from, until)) / capacity).toBeGreaterThan(0.8)
        for (const each of rows.slice(from, until)) {
          expect(each / capacity).toBeGreaterThan(0.8)
          expect(each / capacity).toBeLessThan(1.2)
        }
      }
    },
  )

  it('does not flood in the first batches, and at most doubles', () => {
    const rows = runAgainst(() => ({ bears: 1e6, overheadMs: 5 }), 8, seededRandom(1))
    expect(rows[0]).toBeLessThanOrEqual(OPTIONS.initialRate)
    for (const [at, each] of rows.entries())
      if (at > 0) expect(each).toBeLessThanOrEqual(2.05 * (rows[at - 1] as number))
  })

  it('does not sink to the floor where a batch has a fixed cost near the interval', () => {
    const rows = runAgainst(() => ({ bears: 20_000, overheadMs: 900 }), 60, seededRandom(3))
    expect(mean(rows.slice(30))).toBeGreaterThan(1500)
  })

  it('goes on after a restart with what it had learned', () => {
    const controller = rateController(OPTIONS)
    runAgainst(() => ({ bears: 5000, overheadMs: 10 }), 30, seededRandom(4), controller)
    const again = rateController(OPTIONS, JSON.parse(JSON.stringify(controller.snapshot())))
    expect(again.limit(INTERVAL)).toEqual(controller.limit(INTERVAL))
  })

  it.each([null, 1, 'x', [], {}, { rate: -1 }, { rate: Number.NaN }])(
    'begins anew where the snapshot is %j',
    snapshot => {
      expect(rateController(OPTIONS, snapshot as never).limit(INTERVAL).rate).toBe(OPTIONS.initialRate)
    },
  )

  it('is never NaN, below its floor, above its ceiling or without a row, whatever batches teach', () => {
    const quantity = fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e9, noNaN: true }))
    const batch = fc.record({
      rows: fc.nat(1e7),
      bytes: quantity,
      outputBytes: fc.nat(1e9),
      processingDelayMs: quantity.map(durationMs),
      schedulingDelayMs: quantity.map(durationMs),
      intervalMs: fc.double({ min: 1, max: 1e6, noNaN: true }).map(durationMs),
      limited: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(batch, { maxLength: 30 }), batches => {
        const controller = rateController({ ...OPTIONS, maxRate: rowsPerSecond(50_000) })
        for (const each of batches) {
          controller.observe(each)
          const { rate, maxRows } = controller.limit(INTERVAL)
          expect(rate).toBeGreaterThanOrEqual(OPTIONS.minRate)
          expect(rate).toBeLessThanOrEqual(50_000)
          expect(maxRows).toBeGreaterThanOrEqual(1)
          expect(Number.isNaN(maxRows)).toBe(false)
        }
      }),
    )
  })

  it('learns nothing from batches without rows', () => {
    const controller = rateController(OPTIONS)
    const before = controller.limit(INTERVAL).rate
    const idle = {
      rows: 0,
      bytes: 0,
      outputBytes: 0,
      processingDelayMs: durationMs(3),
      schedulingDelayMs: durationMs(0),
      intervalMs: INTERVAL,
      limited: false,
    }
    for (let at = 0; at < 100; at += 1) controller.observe(idle)
    expect(controller.limit(INTERVAL).rate).toBe(before)
  })
})
