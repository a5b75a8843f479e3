import type { CrashPoint } from './crash-points.ts'

/** What becomes of the call at which a trap closed: it never gets on, or goes on as if nothing had been. */
export type Fate = 'drop' | 'go'

/** Waits for a driver to come to a crash point for the `crossing`th time, and then does something to it. */
export class Trap {
  readonly point: CrashPoint
  /** Resolves as soon as the driver is there. */
  readonly closed: Promise<void>
  readonly #spring: () => Promise<Fate>
  #left: number
  #close: () => void = () => undefined

  constructor(point: CrashPoint, crossing: number, spring: () => Promise<Fate>) {
    this.point = point
    this.#left = crossing
    this.#spring = spring
    this.closed = new Promise(resolve => (this.#close = resolve))
  }

  /** Told of each point that the driver comes to. */
  async at(point: CrashPoint | null): Promise<Fate> {
    if (point !== this.point) return 'go'
    this.#left -= 1
    if (this.#left !== 0) return 'go'
    this.#close()
    return this.#spring()
  }
}
