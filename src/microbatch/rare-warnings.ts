import type { Clock } from '../base/clock.ts'
import type { DriverEvent } from './progress.ts'

const TELL_EVERY_MS = 60_000

/** Warnings of what may be so in every batch: of each subject once a minute. */
export class RareWarnings {
  readonly #clock: Clock
  readonly #emit: (event: DriverEvent) => void
  readonly #toldAt = new Map<string, number>()

  constructor(clock: Clock, emit: (event: DriverEvent) => void) {
    this.#clock = clock
    this.#emit = emit
  }

  tell(code: string, subject: string, message: string): void {
    const now = this.#clock.monotonicMs()
    const key = `${code} ${subject}`
    if (now - (this.#toldAt.get(key) ?? -TELL_EVERY_MS) < TELL_EVERY_MS) return
    this.#toldAt.set(key, now)
    this.#emit({ kind: 'warning', code, message })
  }
}
