import type { Clock } from '../../src/base/clock.ts'
import { MillraceError } from '../../src/base/errors.ts'
import { durationMs, epochMs } from '../../src/base/units.ts'

const MS_PER_TURN = 10

/** Time that passes by the turns of the event loop, so that a time limit leaves room for what needs no time. */
export class TurnClock implements Clock {
  #now = Date.UTC(2030, 0, 15, 10)

  nowMs() {
    return epochMs(this.#now)
  }

  monotonicMs() {
    return durationMs(this.#now)
  }

  async sleep(delay: number, signal?: AbortSignal): Promise<void> {
    const until = this.#now + delay
    for (let turns = Math.ceil(delay / MS_PER_TURN); turns > 0; turns -= 1) {
      if (signal?.aborted === true) throw new MillraceError('ABORTED', 'stopped', { remedy: 'none' })
      await new Promise(resolve => setImmediate(resolve))
    }
    this.#now = Math.max(this.#now, until)
  }

  advance(ms: number): void {
    this.#now += ms
  }
}
