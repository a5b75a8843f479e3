import type { Clock } from '../../src/base/clock.ts'
import { MillraceError } from '../../src/base/errors.ts'
import { durationMs, epochMs } from '../../src/base/units.ts'

/** More waits than any test needs: a driver that waits for ever fails instead of hanging. */
const MAX_WAITS = 20_000

/** Time that passes only when somebody sleeps. */
export class VirtualClock implements Clock {
  #now = 1_768_471_200_000
  #waits = 0

  nowMs() {
    return epochMs(this.#now)
  }

  monotonicMs() {
    return durationMs(this.#now)
  }

  async sleep(delay: number, signal?: AbortSignal): Promise<void> {
    await Promise.resolve()
    if (signal?.aborted === true) throw new MillraceError('ABORTED', 'stopped', { remedy: 'none' })
    this.#waits += 1
    if (this.#waits > MAX_WAITS) throw new Error(`somebody waited ${MAX_WAITS} times`)
    this.#now += delay
  }

  advance(ms: number): void {
    this.#now += ms
  }
}
