import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AFTER_ALL_TIME, BEFORE_ALL_TIME, durationMs, epochMs } from '../../../src/base/units.ts'
import { advanceWatermark, isIdle, type PartitionClock } from '../../../src/microbatch/watermark.ts'

const delay = durationMs(1000)
const active = (time: number | null): PartitionClock => ({
  maxEventTime: time === null ? null : epochMs(time),
  idle: false,
})
const idle = (time: number | null): PartitionClock => ({ ...active(time), idle: true })

describe('the watermark', () => {
  it('lets no row within the delay be late, whatever partition is drained first', () => {
    // each partition holds rows whose event times are out of order by at most the delay
    const partition = fc
      .array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 40 })
      .map(jitters => jitters.map((jitter, at) => at * 500 - jitter))
    fc.assert(
      fc.property(
        fc.array(partition, { minLength: 1, maxLength: 5 }),
        fc.infiniteStream(fc.nat()),
        (partitions, order) => {
          const position = partitions.map(() => 0)
          const clocks = partitions.map(() => active(null))
          let watermark = BEFORE_ALL_TIME
          for (;;) {
            const open = position.flatMap((at, p) => (at < (partitions[p]?.length ?? 0) ? [p] : []))
            if (open.length === 0) return
            const p = open[(order.next().value ?? 0) % open.length] as number
            const time = partitions[p]?.[position[p] as number] as number
            expect(time).toBeGreaterThanOrEqual(watermark)
            position[p] = (position[p] as number) + 1
            clocks[p] = active(Math.max(clocks[p]?.maxEventTime ?? -Infinity, time))
            watermark = advanceWatermark(watermark, clocks, delay)
          }
        },
      ),
    )
  })

  it('is the least of the active partitions, minus the delay', () => {
    expect(advanceWatermark(BEFORE_ALL_TIME, [active(5000), active(9000)], delay)).toBe(4000)
  })

  it('waits for a partition that has shown no row yet, until that falls idle', () => {
    expect(advanceWatermark(BEFORE_ALL_TIME, [active(5000), active(null)], delay)).toBe(BEFORE_ALL_TIME)
    expect(advanceWatermark(BEFORE_ALL_TIME, [active(5000), idle(null)], delay)).toBe(4000)
  })

  it('goes to the furthest partition when all are idle', () => {
    expect(advanceWatermark(BEFORE_ALL_TIME, [idle(5000), idle(9000)], delay)).toBe(8000)
  })

  it('never moves back, also when an idle partition returns or a new one appears', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.tuple(fc.option(fc.integer({ min: -1e6, max: 1e6 })), fc.boolean()), { minLength: 1 })),
        steps => {
          let watermark = BEFORE_ALL_TIME
          for (const step of steps) {
            const next = advanceWatermark(
              watermark,
              step.map(([time, rests]) => (rests ? idle(time) : active(time))),
              delay,
            )
            expect(next).toBeGreaterThanOrEqual(watermark)
            watermark = next
          }
        },
      ),
    )
    expect(advanceWatermark(AFTER_ALL_TIME, [active(5)], delay)).toBe(AFTER_ALL_TIME)
  })

  it('takes no partition with lag for idle, however long it was silent', () => {
    const timeout = durationMs(30_000)
    expect(isIdle(1, epochMs(0), epochMs(1e12), timeout)).toBe(false)
    expect(isIdle(0, epochMs(0), epochMs(30_000), timeout)).toBe(true)
    expect(isIdle(0, epochMs(0), epochMs(29_999), timeout)).toBe(false)
  })
})
