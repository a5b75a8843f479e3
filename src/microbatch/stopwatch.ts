import type { Clock } from '../base/clock.ts'
import { type DurationMs, durationMs } from '../base/units.ts'

/** Times the phases of a batch: each lap lasts from the one before (or the start) until now. */
export interface Stopwatch<Phase extends string = string> {
  lap(phase: Phase): void
  /** Length of a lap; 0 where there was none. */
  of(phase: Phase): DurationMs
  /** Start until the last lap. */
  total(): DurationMs
}

/** Measures the phases of a batch one after the other. */
export const stopwatch = <Phase extends string = string>(clock: Clock): Stopwatch<Phase> => {
  const startedAt = clock.monotonicMs()
  let last = startedAt
  const laps = new Map<Phase, number>()
  return {
    lap(phase) {
      const now = clock.monotonicMs()
      laps.set(phase, (laps.get(phase) ?? 0) + now - last)
      last = now
    },
    of: phase => durationMs(laps.get(phase) ?? 0),
    total: () => durationMs(last - startedAt),
  }
}
