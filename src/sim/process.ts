import { type ErrorCode, MillraceError } from '../base/errors.ts'
import type { CallSite, FateKind, FateOf, Latency } from './fates.ts'
import type { World } from './world.ts'

/** What processes are made with. */
export interface ProcessSurroundings {
  readonly world: World
  readonly fateOf: FateOf
  readonly latency: () => Latency
  /** How long a slow answer takes, and how long a stopped process stays stopped. */
  readonly slowMs: () => number
  readonly pauseMs: () => number
}

/**
 * One operating-system process with a driver in it. Everything that the driver asks of the outside goes through `call`; a
 * process that is dead hears no answer, one that is stopped hears it when it wakes. What it sent off before may still
 * have its effect.
 */
export class SimProcess {
  readonly id: number
  readonly world: World
  readonly #around: ProcessSurroundings
  #state: 'runs' | 'paused' | 'dead' = 'runs'
  /** Whether requests that were under way when the process died still arrive. */
  #lastWordsArrive = true
  #held: (() => void)[] = []
  #calls = 0
  /** Called when it is stopped or killed, so that somebody starts a successor. */
  onOut: (how: 'paused' | 'dead') => void = () => undefined

  constructor(id: number, around: ProcessSurroundings) {
    this.id = id
    this.world = around.world
    this.#around = around
  }

  get name(): string {
    return `driver ${this.id}`
  }

  get isDead(): boolean {
    return this.#state === 'dead'
  }

  get isPaused(): boolean {
    return this.#state === 'paused'
  }

  /** One request. `effect` happens at once and as a whole, at the moment that the world chooses, or never. */
  call<T>(target: CallSite['target'], name: string, about: string, effect: () => T): Promise<T> {
    const index = this.#calls
    this.#calls += 1
    const kind = this.#around.fateOf({ process: this.id, index, target, name, about })
    return new Promise<T>((resolve, reject) => {
      const request = new Request(this, target, `${name} ${about}`, effect, { resolve, reject })
      request.send(kind, this.#around)
    })
  }

  /** Tells the process something, or keeps it until it wakes. @returns whether somebody heard it */
  deliver(hear: () => void): boolean {
    if (this.#state === 'dead') return false
    if (this.#state === 'paused') {
      this.#held.push(hear)
      return false
    }
    hear()
    return true
  }

  /** Whether a request of this process that is on its way gets through. */
  get arrives(): boolean {
    return this.#state !== 'dead' || this.#lastWordsArrive
  }

  kill(why: string): void {
    if (this.#state === 'dead') return
    this.world.tell(this.name, () => `killed ${why}`)
    this.#lastWordsArrive = this.world.chance(0.5)
    this.#state = 'dead'
    this.#held = []
    this.onOut('dead')
  }

  pause(): void {
    if (this.#state !== 'runs') return
    const delay = this.#around.pauseMs()
    this.world.tell(this.name, () => `stopped (SIGSTOP) for ${delay} ms`)
    this.#state = 'paused'
    this.world.after(delay, () => this.wake())
    this.onOut('paused')
  }

  /** Goes on where it was stopped. */
  wake(): boolean {
    if (this.#state !== 'paused') return false
    this.world.tell(this.name, () => 'wakes')
    this.#state = 'runs'
    const held = this.#held
    this.#held = []
    for (const hear of held) hear()
    return held.length > 0
  }

  /** The driver in it has ended. */
  exit(): void {
    this.#state = 'dead'
  }
}

interface Listener<T> {
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
}

class Request<T> {
  readonly #from: SimProcess
  readonly #target: CallSite['target']
  readonly #what: string
  readonly #effect: () => T
  readonly #listener: Listener<T>

  constructor(from: SimProcess, target: CallSite['target'], what: string, effect: () => T, listener: Listener<T>) {
    this.#from = from
    this.#target = target
    this.#what = what
    this.#effect = effect
    this.#listener = listener
  }

  /** Schedules what is to become of it. */
  send(kind: FateKind, around: ProcessSurroundings): void {
    const { world } = this.#from
    const { toEffect, toAnswer } = around.latency()
    switch (kind) {
      case 'refused':
        world.after(toEffect, () => this.#refuse(''))
        return
      case 'late':
        world.after(toEffect, () => this.#refuse(' (given up, still under way)'))
        world.after(toEffect + around.slowMs(), () => this.#act(() => false, ' (late)'))
        return
      case 'crashBefore':
        world.after(toEffect, () => this.#out('kill', `before ${this.#what}`))
        return
      case 'pausedBefore':
        this.#out('pause', '')
        world.after(toEffect, () => this.#resend(around))
        return
      default:
        world.after(toEffect, () => this.#arrive(kind, toAnswer, around))
    }
  }

  /** A stopped process sends nothing: the request leaves when it wakes. */
  #resend(around: ProcessSurroundings): boolean {
    this.#from.deliver(() => this.send('served', around))
    return false
  }

  #arrive(kind: FateKind, toAnswer: number, around: ProcessSurroundings): boolean {
    const { world } = this.#from
    const answer = (delay: number) => (hear: () => void) => {
      world.after(delay, () => this.#from.deliver(hear))
      return false
    }
    switch (kind) {
      case 'answerLost':
        return this.#act(() => answer(toAnswer)(() => this.#listener.reject(this.#failure())), ' (answer lost)')
      case 'repeated':
        this.#act(() => false, ' (answer lost, asked again)')
        return this.#act(answer(toAnswer), '')
      case 'slow':
        return this.#act(answer(around.slowMs()), ' (slow)')
      case 'crashAfter':
        return this.#act(() => this.#out('kill', `after ${this.#what}`), '')
      case 'pausedAfter':
        return this.#act(hear => {
          this.#out('pause', '')
          return answer(toAnswer)(hear)
        }, '')
      default:
        return this.#act(answer(toAnswer), '')
    }
  }

  #act(then: (hear: () => void) => boolean, note: string): boolean {
    if (!this.#from.arrives) return false
    const { world, name } = this.#from
    try {
      const result = this.#effect()
      world.tell(name, () => `${this.#what}${shown(result)}${note}`)
      return then(() => this.#listener.resolve(result))
    } catch (error) {
      world.tell(name, () => `${this.#what} → ${codeOf(error)}${note}`)
      return then(() => this.#listener.reject(error))
    }
  }

  #refuse(note: string): boolean {
    this.#from.world.tell(this.#from.name, () => `${this.#what} → refused${note}`)
    return this.#from.deliver(() => this.#listener.reject(this.#failure()))
  }

  #out(how: 'kill' | 'pause', why: string): false {
    if (how === 'kill') this.#from.kill(why)
    else this.#from.pause()
    return false
  }

  #failure(): MillraceError {
    return new MillraceError(UNANSWERED[this.#target], `simulated: ${this.#what} was not answered`, {
      remedy: 'Nothing: the simulation makes calls fail.',
    })
  }
}

const UNANSWERED: Readonly<Record<CallSite['target'], ErrorCode>> = {
  store: 'STORE_FAILED',
  source: 'LEADER_CHANGED',
  redis: 'REDIS_UNAVAILABLE',
}

const shown = (result: unknown): string =>
  typeof result === 'string' ? ` → ${result}` : result === null ? ' → nothing' : ''

const codeOf = (error: unknown): string => (error instanceof MillraceError ? error.code : String(error))
