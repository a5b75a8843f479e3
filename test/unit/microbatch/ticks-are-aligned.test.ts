import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { durationMs, epochMs } from '../../../src/base/units.ts'
import { defaultTrigger, nextTick, plannedInterval, processingTime } from '../../../src/microbatch/triggers.ts'

describe('processingTime', () => {
  it('ticks at once and then at multiples of the interval; ticks that passed meanwhile are left out', () => {
    const every = durationMs(1000)
    expect(nextTick(every, null, epochMs(1500))).toBe(1500)
    expect(nextTick(every, epochMs(1500), epochMs(1600))).toBe(2000)
    expect(nextTick(every, epochMs(2000), epochMs(2400))).toBe(3000)
    // the batch of tick 2000 took until 5300: ticks 3000 and 4000 are gone, the next batch is due at once
    expect(nextTick(every, epochMs(2000), epochMs(5300))).toBe(5000)
  })

  it('waits no longer than one interval where the clock was set back', () => {
    const hour = 3_600_000
    expect(nextTick(durationMs(1000), epochMs(hour + 2000), epochMs(2300))).toBe(3000)
    // a little ahead of the clock is what a tick that was waited for can be
    expect(nextTick(durationMs(1000), epochMs(2000), epochMs(1999))).toBe(2000)
  })

  it('never ticks twice at one time, nor later than one interval from now', () => {
    const times = fc.tuple(fc.integer({ min: 1, max: 100_000 }), fc.nat(1e12), fc.nat(1e7))
    fc.assert(
      fc.property(times, ([interval, start, later]) => {
        const first = nextTick(durationMs(interval), null, epochMs(start))
        const now = epochMs(first + later)
        const second = nextTick(durationMs(interval), first, now)
        expect(second % interval).toBe(0)
        expect(second).toBeGreaterThan(first)
        expect(second - now).toBeLessThanOrEqual(interval)
      }),
    )
  })

  it('plans rows for its interval, other triggers for the target', () => {
    expect(plannedInterval(processingTime('5s'), durationMs(1000))).toBe(5000)
    expect(plannedInterval(defaultTrigger, durationMs(1000))).toBe(1000)
    expect(() => processingTime('0s')).toThrow(/too short/)
  })
})
