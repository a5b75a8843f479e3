import type { Random } from '../base/random.ts'
import { type EpochMs, epochMs } from '../base/units.ts'

/** Something that will happen; it says whether it woke somebody up, who is then let run before anything else happens. */
export type Happening = () => boolean

interface Pending {
  readonly at: number
  readonly order: number
  readonly happen: Happening
}

/** Takes an event out of the queue before it happens. */
export type Cancel = () => void

/** Where simulated time begins: 2026-01-15T10:00:00Z. */
export const BEGINNING: EpochMs = epochMs(1_768_471_200_000)

/**
 * The one queue that decides what happens next, for all drivers, the store and the topic alike. Time stands still while
 * code runs and jumps to the next event: no timer, no I/O, nothing but the seed decides.
 */
export class World {
  readonly random: Random
  /** Completed events so far. */
  steps = 0
  readonly #pending: Pending[] = []
  readonly #nextTurn: () => Promise<void>
  readonly #trace: string[] | null
  #now = 0
  #order = 0

  /** @param nextTurn resolves when no code is left that could run now (Node: `setImmediate`) */
  constructor(random: Random, nextTurn: () => Promise<void>, options: { readonly traced: boolean }) {
    this.random = random
    this.#nextTurn = nextTurn
    this.#trace = options.traced ? [] : null
  }

  /** Milliseconds since the beginning; never goes back. */
  get elapsedMs(): number {
    return this.#now
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + Math.floor(this.random.next() * (most - least + 1))
  }

  chance(probability: number): boolean {
    return probability > 0 && this.random.next() < probability
  }

  after(delayMs: number, happen: Happening): Cancel {
    const pending: Pending = { at: this.#now + Math.max(0, delayMs), order: this.#order, happen }
    this.#order += 1
    this.#pending.push(pending)
    return () => {
      const at = this.#pending.indexOf(pending)
      if (at !== -1) this.#pending.splice(at, 1)
    }
  }

  /** Lets the next event happen, and everybody whom it woke run until all wait again. @returns false where none is left */
  async step(): Promise<boolean> {
    const next = this.#takeNext()
    if (next === null) return false
    this.#now = next.at
    this.steps += 1
    if (next.happen()) await this.#nextTurn()
    return true
  }

  /** Lets code that was just started run until it waits. */
  settle(): Promise<void> {
    return this.#nextTurn()
  }

  /** A line of the trace; `what` is only asked where somebody wants to read it. */
  tell(who: string, what: () => string): void {
    this.#trace?.push(`${(this.#now / 1000).toFixed(3).padStart(10)}  ${who.padEnd(10)} ${what()}`)
  }

  get trace(): readonly string[] {
    return this.#trace ?? []
  }

  #takeNext(): Pending | null {
    let found = 0
    for (let at = 1; at < this.#pending.length; at += 1) {
      if (isBefore(this.#pending[at] as Pending, this.#pending[found] as Pending)) found = at
    }
    const [next] = this.#pending.splice(found, 1)
    return next ?? null
  }
}

const isBefore = (a: Pending, b: Pending): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)
