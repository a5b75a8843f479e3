import type { Observable } from 'rxjs'
import { asMillraceError } from '../base/errors.ts'
import { HOUR_MS, hourOf, hourRange, parseHour } from '../base/hours.ts'
import { durationMs, type EpochMs, epochMs } from '../base/units.ts'
import { runBackfill } from '../batch/backfill.ts'
import type { BatchEvent } from '../batch/batch-parts.ts'
import { batchPlan } from '../batch/batch-plan.ts'
import { claimHours } from '../batch/claims.ts'
import { dueHours, firstOpenHour, hourOfFirstWindow } from '../batch/closed-hours.ts'
import { HourLog } from '../batch/hour-log.ts'
import type { Executor } from '../executor/task.ts'
import type { DriverEvent } from '../microbatch/progress.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import { type ComposedBatch, composeBatch, hasEnded } from './compose-batch.ts'
import type { Config } from './config/config.ts'

/** What the jobs of a running pipeline are made from. */
export interface HourlyJobsOptions {
  readonly plan: PipelinePlan
  readonly artifact: URL | null
  readonly config: Config
  readonly events: Observable<DriverEvent>
  readonly emit: (event: DriverEvent) => void
}

/** Hourly jobs beside a stream. */
export interface HourlyJobs {
  /** Abandons the hour that is under way; the next run computes it. */
  stop(): Promise<void>
}

/** Whether a pipeline has hourly jobs: its source is landed, and some branch computes something by the hour. */
export const hasHourlyJobs = (plan: PipelinePlan, config: Config): boolean =>
  config.batch.enabled && plan.source.landed !== null && batchPlan(plan).branches.length > 0

/**
 * Computes each hour once the watermark has closed it, one at a time, on a worker of its own: the stream never waits for
 * it. What fails is a warning; the hour stays failed until a backfill computes it.
 */
export const startHourlyJobs = (options: HourlyJobsOptions): HourlyJobs => new RunningJobs(options)

class RunningJobs implements HourlyJobs {
  readonly #options: HourlyJobsOptions
  readonly #stopping = new AbortController()
  #watermark: EpochMs | null = null
  #work: Promise<void> | null = null
  #composed: { readonly batch: ComposedBatch; readonly lane: Executor } | null = null
  /** The first hour that nobody has tried yet. */
  #next: EpochMs | null = null

  constructor(options: HourlyJobsOptions) {
    this.#options = options
    options.events.subscribe({
      next: event => {
        if (event.kind !== 'progress' || event.progress.eventTime.watermark === null) return
        this.#watermark = epochMs(Date.parse(event.progress.eventTime.watermark))
        this.#work ??= this.#computeDue().finally(() => {
          this.#work = null
        })
      },
      error: () => undefined,
    })
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#work
    await this.#composed?.batch.close()
  }

  async #computeDue(): Promise<void> {
    try {
      const { batch, grace, catchUp } = this.#settings()
      if (this.#watermark === null) return
      this.#next ??= await this.#firstHour(this.#watermark)
      for (const hour of dueHours(this.#next, firstOpenHour(batch, this.#watermark, grace), catchUp)) {
        if (this.#stopping.signal.aborted) return
        await this.#compute(hour)
        this.#next = epochMs(hour + HOUR_MS)
      }
    } catch (error) {
      // tried again with the next batch of the stream
      this.#warn(error)
    }
  }

  #settings() {
    const { plan, config } = this.#options
    const { grace, catchUp } = config.batch
    return { batch: batchPlan(plan), grace: durationMs(grace), catchUp: durationMs(catchUp) }
  }

  /** After the last hour that was ever tried; without any, the hour of the first window that rows were landed for. */
  async #firstHour(watermark: EpochMs): Promise<EpochMs> {
    const { parts } = (await this.#compose()).batch
    const last = (await new HourLog(parts, this.#options.plan.name).all()).at(-1)
    if (last !== undefined) return epochMs(parseHour(last.hour, 'hour of a record') + HOUR_MS)
    const { landed } = parts.batch
    if (landed?.partitionBy.kind !== 'hour') return hourOf(watermark)
    for await (const { key } of parts.landedStore.list(`${landed.table}/date=`)) {
      const [, date, hour] = /\/date=(\d{4}-\d{2}-\d{2})\/hour=(\d{2})\//.exec(key) ?? []
      if (date !== undefined && hour !== undefined) {
        return hourOfFirstWindow(parts.batch, parseHour(`${date}T${hour}`, 'folder of an hour'))
      }
    }
    return hourOf(watermark)
  }

  async #compute(hour: EpochMs): Promise<void> {
    const { batch, lane } = await this.#compose()
    const { parts, claimant } = batch
    try {
      const range = hourRange(hour)
      const claim = await claimHours(range, { ...parts, pipeline: this.#options.plan.name, claimant, hasEnded })
      try {
        await runBackfill(parts, { range, reprocess: 'none', lanes: [lane], claim }, this.#stopping.signal)
      } finally {
        await claim.release()
      }
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#warn(error)
    }
  }

  async #compose() {
    if (this.#composed === null) {
      const { plan, artifact, config } = this.#options
      const one = { ...config, workers: 1 }
      const emit = (event: BatchEvent) => this.#tell(event)
      const batch = await composeBatch({ plan, artifact, config: one, source: 'landed', maxActive: 1, emit })
      this.#composed = { batch, lane: await batch.makeLane() }
    }
    return this.#composed
  }

  #tell(event: BatchEvent): void {
    if (event.kind === 'hourDone') {
      const { hour, generation, rowsRead } = event
      this.#options.emit({ kind: 'hourPublished', hour, generation, rowsRead })
    }
    if (event.kind === 'hourFailed') {
      this.#options.emit({ kind: 'warning', code: event.code, message: `hour ${event.hour}: ${event.message}` })
    }
    if (event.kind === 'warning') this.#options.emit(event)
  }

  #warn(error: unknown): void {
    const { code, message } = asMillraceError(error)
    this.#options.emit({ kind: 'warning', code, message })
  }
}
