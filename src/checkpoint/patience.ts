import type { Clock } from '../base/clock.ts'
import { MillraceError } from '../base/errors.ts'
import { durationMs } from '../base/units.ts'

/** Attempts before the store counts as failed; waits double from 50 ms to 1.6 s. */
export const MAX_ATTEMPTS = 7
const FIRST_WAIT_MS = 50

/** The error, if the same call may succeed when it is repeated; throws it otherwise. */
export const retriable = (error: unknown): MillraceError => {
  if (error instanceof MillraceError && error.retriable) return error
  throw error
}

/** Waits after a failed attempt, longer each time. `attempt` counts from 1. */
export const waitAfter = (clock: Clock, attempt: number): Promise<void> =>
  clock.sleep(durationMs(FIRST_WAIT_MS * 2 ** (attempt - 1)))

/** Repeats a call of the store that may be repeated, until it succeeds or has failed too often. */
export const patiently = async <T>(clock: Clock, call: () => Promise<T>): Promise<T> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call()
    } catch (error) {
      const failure = retriable(error)
      if (attempt >= MAX_ATTEMPTS) throw failure
    }
    await waitAfter(clock, attempt)
  }
}
