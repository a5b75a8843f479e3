import { MillraceError } from '../base/errors.ts'
import type { ViewStore } from '../sinks/view/view-store.ts'
import type { RedisMishap } from './fault-mix.ts'
import { MemoryViews } from './memory-views.ts'
import type { SimProcess } from './process.ts'
import type { World } from './world.ts'

const AWAY_MS = 5000

/** A Redis that may be emptied, brought back to an earlier state, claim what never was, or be away. */
export class SimRedis {
  readonly views = new MemoryViews()
  readonly #world: World
  #rollBack: () => void = () => this.views.flush()
  #awayUntil = 0
  /** How often something befell it. */
  mishaps = 0

  constructor(world: World) {
    this.#world = world
  }

  befall(what: RedisMishap): void {
    this.#world.tell('redis', () => what)
    this.mishaps += 1
    switch (what) {
      case 'flush':
        return this.views.flush()
      case 'rollBack':
        return this.#rollBack()
      case 'lie':
        return this.views.lie()
      case 'away':
        this.#awayUntil = this.#world.elapsedMs + AWAY_MS
    }
  }

  /** What a later `rollBack` comes back to. */
  remember(): void {
    this.#rollBack = this.views.remember()
  }

  get isAway(): boolean {
    return this.#world.elapsedMs < this.#awayUntil
  }

  /** Answers again at once. */
  comeBack(): void {
    this.#awayUntil = this.#world.elapsedMs
  }

  /** A process' way to it. */
  client(process: SimProcess): ViewStore {
    return {
      location: 'simulated',
      apply: (view, step) =>
        process.call('redis', 'apply', `${view.name} ${step.phase} ${step.kind} of batch ${step.batch}`, () => {
          if (this.isAway) throw away()
          return this.views.applyNow(view, step)
        }),
    }
  }
}

const away = (): MillraceError =>
  new MillraceError('REDIS_UNAVAILABLE', 'simulated: Redis is away', { remedy: 'Nothing: it comes back.' })
