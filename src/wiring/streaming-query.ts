import type { Observable, Subject } from 'rxjs'
import { asMillraceError, type MillraceError } from '../base/errors.ts'
import type { Driver } from '../microbatch/driver.ts'
import type { DriverEvent, QueryProgress } from '../microbatch/progress.ts'
import type { Probe } from '../observe/probe.ts'

/** Progress entries that a handle remembers. */
const REMEMBERED = 100

/** A running pipeline, with the names that Spark's StreamingQuery has. */
export interface StreamingQuery {
  /** Identifies the checkpoint; the same over restarts. */
  readonly id: string
  /** Identifies this run. */
  readonly runId: string
  readonly name: string
  readonly isActive: boolean
  /** What stopped the query, `null` while it runs and after a clean end. */
  readonly exception: MillraceError | null
  readonly lastProgress: QueryProgress | null
  /** The last 100, oldest first. */
  readonly recentProgress: readonly QueryProgress[]
  /** Everything the driver tells, as it happens; completes at a clean end, errors otherwise. */
  readonly events: Observable<DriverEvent>
  /**
   * Ends the query after the batch in flight, or abandons that batch as a whole when it takes longer than `graceMs`
   * (default: configuration's `stopTimeout`). Resolves when everything is closed; what failed is in `exception`.
   */
  stop(options?: { readonly graceMs?: number }): Promise<void>
  /** Resolves at the query's clean end. @throws what stopped it otherwise */
  awaitTermination(): Promise<void>
}

/** A query of which a service can ask what it stands on. */
export interface ProbedQuery extends StreamingQuery {
  readonly probe: Probe
}

/** The parts of a handle that wiring makes. */
export interface QueryParts {
  readonly id: string
  readonly runId: string
  readonly name: string
  readonly driver: Driver
  readonly events: Subject<DriverEvent>
  readonly probe: Probe
  /** How long `stop` waits for the batch in flight unless it is told. */
  readonly graceMs: number
  /** Closes what the query was composed of; called once, after the driver has ended. */
  readonly close: () => Promise<void>
}

/** Runs a composed driver and gives the handle to it. */
export const runQuery = (parts: QueryParts): ProbedQuery => new RunningQuery(parts)

class RunningQuery implements ProbedQuery {
  readonly id: string
  readonly runId: string
  readonly name: string
  readonly events: Observable<DriverEvent>
  readonly probe: Probe
  readonly #driver: Driver
  readonly #graceMs: number
  readonly #recent: QueryProgress[] = []
  readonly #ended: Promise<void>
  #active = true
  #exception: MillraceError | null = null

  constructor({ id, runId, name, driver, events, probe, close, graceMs }: QueryParts) {
    this.id = id
    this.runId = runId
    this.name = name
    this.probe = probe
    this.#driver = driver
    this.#graceMs = graceMs
    this.events = events.asObservable()
    events.subscribe({ next: event => this.#remember(event), error: () => undefined })
    this.#ended = this.#run(events, close)
  }

  get isActive(): boolean {
    return this.#active
  }

  get exception(): MillraceError | null {
    return this.#exception
  }

  get lastProgress(): QueryProgress | null {
    return this.#recent.at(-1) ?? null
  }

  get recentProgress(): readonly QueryProgress[] {
    return [...this.#recent]
  }

  async stop({ graceMs = this.#graceMs }: { readonly graceMs?: number } = {}): Promise<void> {
    this.#driver.stop()
    const timer = setTimeout(() => this.#driver.abandon(), graceMs)
    await this.#ended
    clearTimeout(timer)
  }

  async awaitTermination(): Promise<void> {
    await this.#ended
    if (this.#exception !== null) throw this.#exception
  }

  async #run(events: Subject<DriverEvent>, close: () => Promise<void>): Promise<void> {
    try {
      await this.#driver.run()
    } catch (error) {
      this.#exception = asMillraceError(error)
    }
    try {
      await close()
    } catch (error) {
      this.#exception ??= asMillraceError(error)
    }
    this.#active = false
    if (this.#exception === null) events.complete()
    else events.error(this.#exception)
  }

  #remember(event: DriverEvent): void {
    if (event.kind !== 'progress') return
    this.#recent.push(event.progress)
    if (this.#recent.length > REMEMBERED) this.#recent.shift()
  }
}
