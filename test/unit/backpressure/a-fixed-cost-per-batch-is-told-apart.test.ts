import { describe, expect, it } from 'vitest'
import { OverheadEstimator, readOverheadSnapshot } from '../../../src/backpressure/overhead.ts'
import { type ObservedBatch, type RateOptions, rateController } from '../../../src/backpressure/rate-controller.ts'
import type { JsonValue } from '../../../src/base/json.ts'
import { seededRandom } from '../../../src/base/random.ts'
import { durationMs, type EpochMs, epochMs, rowsPerSecond } from '../../../src/base/units.ts'
import { nextTick } from '../../../src/microbatch/triggers.ts'

const OPTIONS: RateOptions = {
  enabled: true,
  initialRate: rowsPerSecond(10_000),
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
const SEEDS = Array.from({ length: 20 }, (_, at) => at + 1)

interface Simulated {
  readonly rows: number
  /** Learned rate over what the sink bears. */
  readonly ratio: number
  readonly processingMs: number
}

interface Simulation {
  readonly seed: number
  readonly bears: (batch: number) => number
  readonly overheadMs: number
  /** Batches at ticks of the interval, or one after the other. */
  readonly ticks: boolean
  readonly batches: number
}

/** More rows wait than the sink bears; rows and overhead each take 10 % more or less time than they should. */
const simulate = ({ seed, bears, overheadMs, ticks, batches }: Simulation): readonly Simulated[] => {
  const random = seededRandom(seed)
  const controller = rateController(OPTIONS)
  let now = 0
  let tick: EpochMs | null = null
  return Array.from({ length: batches }, (_, batch) => {
    tick = ticks ? nextTick(INTERVAL, tick, epochMs(now)) : epochMs(now)
    const startedAt = Math.max(now, tick)
    const { maxRows: rows, rate } = controller.limit(INTERVAL)
    const noisy = (ms: number): number => ms * (0.9 + 0.2 * random.next())
    const processingMs = noisy(overheadMs) + noisy((rows * 1000) / bears(batch))
    now = startedAt + processingMs
    controller.observe(observed(rows, processingMs, startedAt - tick))
    return { rows, ratio: rate / bears(batch), processingMs }
  })
}

const observed = (rows: number, processingMs: number, schedulingMs = 0): ObservedBatch => ({
  rows,
  bytes: rows * 400,
  outputBytes: 0,
  processingDelayMs: durationMs(processingMs),
  schedulingDelayMs: durationMs(schedulingMs),
  intervalMs: INTERVAL,
  limited: true,
})

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

describe('a fixed cost per batch is told apart from the cost per row', () => {
  it.each([0, 20, 200].flatMap(overheadMs => [false, true].map(ticks => ({ overheadMs, ticks }))))(
    'keeps within a fifth of what the sink bears, full speed to a tenth and back: %j',
    ({ overheadMs, ticks }) => {
      for (const full of [50_000, 500_000]) {
        for (const seed of SEEDS) {
          const bears = (batch: number): number => (batch >= 30 && batch < 60 ? full / 10 : full)
          const run = simulate({ seed, bears, overheadMs, ticks, batches: 90 })
          for (const [batch, { ratio, processingMs }] of run.entries()) {
            if (batch % 30 < 10) continue
            expect(ratio, `seed ${seed}, batch ${batch}`).toBeGreaterThan(0.8)
            expect(ratio, `seed ${seed}, batch ${batch}`).toBeLessThan(1.2)
            expect(processingMs, `seed ${seed}, batch ${batch}`).toBeLessThan(1.3 * INTERVAL)
          }
        }
      }
    },
  )

  it.each([600, 900, 1200, 3000].flatMap(overheadMs => [false, true].map(ticks => ({ overheadMs, ticks }))))(
    'gives rows as much time as the batch takes for itself where that nears or passes the interval: %j',
    ({ overheadMs, ticks }) => {
      for (const seed of SEEDS) {
        const run = simulate({ seed, bears: () => 50_000, overheadMs, ticks, batches: 120 })
        const settled = run.slice(60)
        const rowsPerMs = mean(settled.map(each => each.rows)) / mean(settled.map(each => each.processingMs))
        // half overhead, half rows: half of the 50 that the sink bears; at the floor it would be 0.1
        expect(rowsPerMs, `seed ${seed}`).toBeGreaterThan(0.7 * 25)
        expect(mean(settled.map(each => each.ratio)), `seed ${seed}`).toBeLessThan(1.2)
      }
    },
  )

  it('takes a slower sink for a slower sink, not for more overhead', () => {
    const estimator = new OverheadEstimator()
    for (let batch = 0; batch < 20; batch += 1) estimator.observe(10_000 + 500 * (batch % 5), 100 + batch * 2)
    const before = estimator.overheadMs
    estimator.observe(10_000, 1000)
    estimator.observe(10_000, 1000)
    expect(estimator.overheadMs - before).toBeLessThan(50)
  })

  it('finds both numbers from a few batches of different size', () => {
    const estimator = new OverheadEstimator()
    for (const rows of [1000, 2000, 4000, 8000, 16_000, 12_000, 5000]) estimator.observe(rows, 150 + rows / 20)
    expect(estimator.overheadMs).toBeGreaterThan(140)
    expect(estimator.overheadMs).toBeLessThan(160)
  })

  it('never believes in more overhead than the last batch took', () => {
    const estimator = new OverheadEstimator()
    for (const rows of [1000, 2000, 4000]) estimator.observe(rows, 500 + rows / 100)
    estimator.observe(1000, 30)
    expect(estimator.overheadMs).toBeLessThanOrEqual(30)
  })

  it('goes on from a snapshot, and from nothing where it is not one', () => {
    const estimator = new OverheadEstimator()
    for (const rows of [1000, 2000, 4000]) estimator.observe(rows, 150 + rows / 20)
    const stored = JSON.parse(JSON.stringify(estimator.snapshot())) as JsonValue
    const restored = new OverheadEstimator(readOverheadSnapshot(stored))
    for (const each of [estimator, restored]) each.observe(3000, 280)
    expect(restored.snapshot()).toEqual(estimator.snapshot())
    for (const other of [null, undefined, 3, 'x', [], {}, { overheadMs: 5 }])
      expect(readOverheadSnapshot(other)).toBeNull()
  })
})

describe('batches that were not limited', () => {
  const learned = () => {
    const controller = rateController(OPTIONS)
    for (const rows of [10_000, 20_000, 40_000, 45_000]) controller.observe(observed(rows, 20 + rows / 50))
    return controller
  }

  it('leave the rate as it is while they keep their interval, however small they are', () => {
    const controller = learned()
    const { rate } = controller.limit(INTERVAL)
    for (let at = 0; at < 50; at += 1) controller.observe({ ...observed(1 + at, 25), limited: false })
    expect(controller.limit(INTERVAL).rate).toBe(rate)
  })

  it('lower it as soon as they take longer than their interval', () => {
    const controller = learned()
    const { rate } = controller.limit(INTERVAL)
    controller.observe({ ...observed(10_000, 4000), limited: false })
    expect(controller.limit(INTERVAL).rate).toBeLessThan(rate / 3)
  })

  it('hardly lower it where they had very few rows: a pause says nothing of what rows cost', () => {
    const fresh = rateController(OPTIONS)
    const { rate } = fresh.limit(INTERVAL)
    fresh.observe({ ...observed(4, 2200), limited: false })
    expect(fresh.limit(INTERVAL).rate).toBeGreaterThan(rate * 0.95)
    const controller = learned()
    const before = controller.limit(INTERVAL).rate
    controller.observe({ ...observed(20, 5000), limited: false })
    expect(controller.limit(INTERVAL).rate).toBeGreaterThan(before * 0.95)
  })

  it('change nothing at all where they had no rows', () => {
    const controller = learned()
    const before = { limit: controller.limit(INTERVAL), snapshot: controller.snapshot() }
    for (const ms of [0, 1, 30, 5000]) controller.observe({ ...observed(0, ms), limited: false })
    expect({ limit: controller.limit(INTERVAL), snapshot: controller.snapshot() }).toEqual(before)
  })
})
