import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { epochMs } from '../../../src/base/units.ts'
import { LagTracker } from '../../../src/observe/lag-tracker.ts'

const of = { topic: 'plays', partition: 0 }
const LOOK_MS = 5_000

/** A tracker over one partition: `end(t)` says how many rows were written by t. */
const watch = (end: (at: number) => number, looks: number): LagTracker => {
  const tracker = new LagTracker()
  tracker.resumed([{ ...of, offset: end(0), at: epochMs(0) }])
  for (let look = 1; look <= looks; look += 1) {
    const at = epochMs(look * LOOK_MS)
    tracker.ends([{ ...of, earliest: 0, latest: end(at), at }])
  }
  return tracker
}

const only = (tracker: LagTracker, now: number) => tracker.lag(epochMs(now))[0]

describe('lag', () => {
  it('in time is off by no more than the time between two looks, whatever the rate does', () => {
    const rates = fc.array(fc.nat({ max: 500 }), { minLength: 2, maxLength: 100 })
    fc.assert(
      fc.property(rates, fc.double({ min: 0, max: 1, noNaN: true }), (perLook, share) => {
        // rows of a look are all written at one moment within it
        const writtenAt: number[] = []
        for (const [look, rows] of perLook.entries())
          for (let row = 0; row < rows; row += 1) writtenAt.push((look + share) * LOOK_MS)
        const end = (at: number) => writtenAt.filter(written => written <= at).length
        const tracker = watch(end, perLook.length)
        const now = perLook.length * LOOK_MS
        for (const committed of [0, Math.floor(writtenAt.length / 2), writtenAt.length]) {
          tracker.committed([{ ...of, offset: committed, at: epochMs(now) }])
          const lag = only(tracker, now)
          expect(lag?.rows).toBe(writtenAt.length - committed)
          const waited = committed === writtenAt.length ? 0 : now - (writtenAt[committed] ?? 0)
          expect(Math.abs((lag?.age ?? 0) - waited)).toBeLessThanOrEqual(LOOK_MS)
        }
      }),
    )
  })

  it('grows with the clock while nothing is committed, also when the end stands still', () => {
    const tracker = watch(at => Math.min(100, at / 100), 10)
    const [early, late] = [only(tracker, 60_000), only(tracker, 90_000)]
    expect(early?.rows).toBe(100)
    expect((late?.age ?? 0) - (early?.age ?? 0)).toBe(30_000)
  })

  it('after a restart counts the time that nobody read', () => {
    const tracker = new LagTracker()
    tracker.resumed([{ ...of, offset: 1000, at: epochMs(0) }])
    tracker.ends([{ ...of, earliest: 0, latest: 7000, at: epochMs(60_000) }])
    expect(only(tracker, 60_000)).toMatchObject({ rows: 6000, age: 60_000 })
    tracker.committed([{ ...of, offset: 4000, at: epochMs(60_000) }])
    expect(only(tracker, 60_000)).toMatchObject({ rows: 3000, age: 30_000 })
  })

  it('of a partition that appeared since counts from its beginning', () => {
    const tracker = watch(() => 0, 1)
    tracker.ends([{ topic: 'plays', partition: 1, earliest: 20, latest: 50, at: epochMs(LOOK_MS) }])
    tracker.ends([{ topic: 'plays', partition: 2, earliest: null, latest: 50, at: epochMs(LOOK_MS) }])
    expect(tracker.lag(epochMs(LOOK_MS)).map(({ partition, rows }) => [partition, rows])).toEqual([
      [0, 0],
      [1, 30],
    ])
  })

  it('stays right over days of looks in bounded memory', () => {
    const tracker = watch(at => at / 10, 20_000)
    const now = 20_000 * LOOK_MS
    tracker.committed([{ ...of, offset: now / 10 - 60_000, at: epochMs(now) }])
    expect(only(tracker, now)?.rows).toBe(60_000)
    expect(Math.abs((only(tracker, now)?.age ?? 0) - 600_000)).toBeLessThan(1_000)
  })
})
