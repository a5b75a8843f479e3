import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../base/clock.ts'
import { MillraceError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import { durationMs, epochMs } from '../base/units.ts'

/** The machine's own time. */
export const systemClock: Clock = {
  nowMs: () => epochMs(Date.now()),
  monotonicMs: () => durationMs(performance.now()),
  sleep: async (length, signal) => {
    try {
      await delay(length, undefined, signal === undefined ? {} : { signal })
    } catch (cause) {
      throw new MillraceError('ABORTED', 'a wait was interrupted', { remedy: 'Nothing: a stop was asked for.', cause })
    }
  },
}

/** The machine's own chance. */
export const systemRandom: Random = {
  next: () => Math.random(),
  // unlike randomBytes it asks the kernel for many at once
  nonce: () => randomUUID().replaceAll('-', ''),
}
