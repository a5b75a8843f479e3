import type { Clock } from '../base/clock.ts'
import { MillraceError } from '../base/errors.ts'
import { durationMs, epochMs } from '../base/units.ts'
import type { SimProcess } from './process.ts'
import { BEGINNING } from './world.ts'

/** A process' clock. Its wall-clock time may be set anew at any moment (`skewMs`); its monotonic time is the world's. */
export const processClock = (process: SimProcess, skewMs: () => number): Clock => {
  const { world } = process
  return {
    nowMs: () => epochMs(BEGINNING + world.elapsedMs + skewMs()),
    monotonicMs: () => durationMs(world.elapsedMs),
    sleep: (delay, signal) =>
      new Promise((resolve, reject) => {
        const interrupted = (): void => {
          cancel()
          reject(new MillraceError('ABORTED', 'a wait was interrupted', { remedy: 'Nothing: a stop was asked for.' }))
        }
        const cancel = world.after(delay, () =>
          process.deliver(() => {
            signal?.removeEventListener('abort', interrupted)
            resolve()
          }),
        )
        if (signal?.aborted === true) interrupted()
        else signal?.addEventListener('abort', interrupted, { once: true })
      }),
  }
}
