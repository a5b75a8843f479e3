import { abortable } from '../base/abortable.ts'
import { MillraceError } from '../base/errors.ts'
import { type BatchId, type DurationMs, durationMs, type EpochMs } from '../base/units.ts'
import { BatchPlanner } from './batch-planner.ts'
import { clearUpAll } from './deliver.ts'
import type { DriverParts } from './driver-parts.ts'
import type { DriverState } from './driver-state.ts'
import { type NextBatch, resumedBatch } from './next-batch.ts'
import { recover, withOffsetsReset } from './recover.ts'
import { runMicroBatch } from './run-micro-batch.ts'
import { nextTick } from './triggers.ts'

/** Batches between two prunings of the checkpoint. */
const PRUNE_EVERY = 50
/** How often a driver without anything to do looks whether another took over, or went on; one that plans looks at each plan. */
const IDLE_LOOK_MS = 5_000

/** Runs micro-batches, one after the other, until it is stopped, its source ends, or something fails. */
export interface Driver {
  /**
   * Recovers and then runs; resolves when the driver has stopped with everything committed published, or rejects
   * with what stopped it. Call it once.
   */
  run(): Promise<void>
  /** Asks for a stop after the batch in flight. */
  stop(): void
  /** Abandons the batch in flight as a whole, at once: unless it is committed, nothing of it is visible before it runs again. */
  abandon(): void
}

/** A driver over its parts: ports in, no technology. */
export const createDriver = (parts: DriverParts): Driver => {
  const stopping = new AbortController()
  const abandoning = new AbortController()
  return {
    run: () => new DriverLoop(parts, stopping.signal, abandoning.signal).run(),
    stop: () => stopping.abort(),
    abandon: () => {
      stopping.abort()
      abandoning.abort()
    },
  }
}

class DriverLoop {
  readonly #parts: DriverParts
  readonly #stopping: AbortSignal
  readonly #abandoning: AbortSignal
  readonly #planner: BatchPlanner
  #batches = 0
  /** The last batch that is wholly visible. */
  #published: BatchId | null = null
  #tick: EpochMs | null = null
  /** The next batch starts no sooner, or more rows than the user allows would go through. */
  #notBefore: DurationMs = durationMs(0)
  #nextIdleLook: DurationMs = durationMs(0)
  /** Offsets are reset after a plan that a crash left open has run: logged ranges are never dropped. */
  #resetPending: boolean

  constructor(parts: DriverParts, stopping: AbortSignal, abandoning: AbortSignal) {
    this.#parts = parts
    this.#stopping = stopping
    this.#abandoning = abandoning
    this.#planner = new BatchPlanner(parts)
    this.#resetPending = parts.settings.resetOffsets
  }

  async run(): Promise<void> {
    try {
      // what hangs, in a sink or in a function of the user's, does not keep a stop that has waited long enough
      await abortable(this.#runBatches(), this.#abandoning, 'the micro-batch')
    } catch (error) {
      // a stop that interrupts a wait or abandons a batch is an end, not a failure
      if (!(error instanceof MillraceError && error.code === 'ABORTED' && this.#stopping.aborted)) {
        throw await this.#unlessFenced(error)
      }
    }
    await this.#notePublished()
    this.#parts.emit({ kind: 'terminated', name: this.#parts.plan.name, batches: this.#batches })
  }

  /** For a successor that has fewer sinks. One that has not needs no note: a store that takes none is no failure. */
  async #notePublished(): Promise<void> {
    if (this.#published === null) return
    try {
      await this.#parts.checkpoint.notePublished(this.#published)
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error
      this.#parts.emit({ kind: 'warning', code: error.code, message: error.message })
    }
  }

  /** What a driver finds that others took over from (records that retention deleted since, state that was pruned) is no news. */
  async #unlessFenced(error: unknown): Promise<unknown> {
    try {
      await this.#parts.checkpoint.requireOwnership()
    } catch (other) {
      if (other instanceof MillraceError && other.code === 'FENCED') return other
    }
    return error
  }

  async #runBatches(): Promise<void> {
    let state: DriverState | null = null
    while (!this.#done()) {
      if (state === null) {
        state = await this.#begin()
        continue
      }
      if (this.#resetPending) {
        this.#resetPending = false
        state = await withOffsetsReset(this.#parts, state)
      }
      const triggeredAt = await this.#awaitTrigger()
      const next = await this.#planner.next(state, triggeredAt)
      if (next === 'ended') return
      if (next === 'nothing') state = await this.#rest(state)
      else state = await this.#runBatch(next.state, next.batch)
    }
  }

  /** Recovers, and runs the batch again that a crash left without a commit. */
  async #begin(): Promise<DriverState | null> {
    const { state, openPlan } = await recover(this.#parts)
    this.#announce(state)
    if (state.nextBatchId > 0) this.#published = state.lastBatchId
    if (openPlan === null) return state
    const admitted = await this.#planner.admit(state)
    return this.#runBatch(admitted, resumedBatch(openPlan, this.#parts.clock.nowMs()))
  }

  #announce(state: DriverState): void {
    const { plan, checkpoint, emit } = this.#parts
    const resumedAfter = state.nextBatchId === 0 ? null : state.nextBatchId - 1
    const partitions = state.position.partitions.map(({ topic, partition, offset, lastRowsAt }) => ({
      topic,
      partition,
      offset,
      lastRowsAt,
    }))
    emit({ kind: 'started', name: plan.name, epoch: checkpoint.epoch, resumedAfter, partitions })
  }

  async #runBatch(state: DriverState, batch: NextBatch): Promise<DriverState | null> {
    const startedAt = this.#parts.clock.monotonicMs()
    const after = await this.#runUnlessDone(state, batch)
    this.#batches += 1
    if (after !== null) this.#published = after.lastBatchId
    const rows = batch.plan.ranges.reduce((sum, { from, until }) => sum + until - from, 0)
    this.#notBefore = durationMs(startedAt + Math.max(this.#parts.rate.leastTime(rows), this.#leastInterval()))
    if (after !== null && this.#batches % PRUNE_EVERY === 0) await this.#prune(after)
    return after
  }

  /**
   * A batch that fails here has not failed where a driver before us has committed it meanwhile: what it needed may be gone
   * because it is done. As after an adoption, `null` says so.
   */
  async #runUnlessDone(state: DriverState, batch: NextBatch): Promise<DriverState | null> {
    const { checkpoint } = this.#parts
    try {
      const { logged } = batch
      const held = logged === null ? batch : await this.#planner.whatIsLeft(batch, logged, this.#stopping)
      return await runMicroBatch(this.#parts, state, held, this.#abandoning)
    } catch (error) {
      if (error instanceof MillraceError && error.code === 'ABORTED') throw error
      const commit = await checkpoint.readCommit(batch.plan.batchId).catch(() => null)
      if (commit === null || commit.epoch >= checkpoint.epoch) throw error
      return null
    }
  }

  async #prune(state: DriverState): Promise<void> {
    const newest = await this.#parts.checkpoint.readCommit(state.lastBatchId)
    if (newest === null) return
    await this.#parts.checkpoint.prune(newest)
    await clearUpAll(this.#parts.sinks, newest.batchId)
  }

  /** Under a trickle, batches that follow each other at once cost a core and bring rows hardly sooner. */
  #leastInterval(): DurationMs {
    const { trigger, pollIntervalMs } = this.#parts.settings
    return trigger.kind === 'default' ? pollIntervalMs : durationMs(0)
  }

  #done(): boolean {
    const { maxBatches } = this.#parts.settings
    return this.#stopping.aborted || (maxBatches !== null && this.#batches >= maxBatches)
  }

  /** Waits until `maxRate` allows more, and for the next tick if the trigger has ticks. @returns when the batch was due */
  async #awaitTrigger(): Promise<EpochMs> {
    const { clock, settings } = this.#parts
    await this.#sleep(durationMs(this.#notBefore - clock.monotonicMs()))
    if (settings.trigger.kind !== 'processingTime') return clock.nowMs()
    this.#tick = nextTick(settings.trigger.intervalMs, this.#tick, clock.nowMs())
    await this.#sleep(durationMs(this.#tick - clock.nowMs()))
    return this.#tick
  }

  /**
   * Nothing is there to do: with ticks the next one is waited for anyway, without them the source is asked again soon. A driver
   * before us that woke once we had recovered may have gone on with the next batch, and could not publish it: `null` says so.
   */
  async #rest(state: DriverState): Promise<DriverState | null> {
    const { checkpoint, clock, settings } = this.#parts
    if (clock.monotonicMs() >= this.#nextIdleLook) {
      await checkpoint.requireOwnership()
      this.#nextIdleLook = durationMs(clock.monotonicMs() + IDLE_LOOK_MS)
      if (await checkpoint.isPlanned(state.nextBatchId)) return null
    }
    if (settings.trigger.kind !== 'processingTime') await this.#sleep(settings.pollIntervalMs)
    return state
  }

  async #sleep(delay: DurationMs): Promise<void> {
    if (delay > 0) await this.#parts.clock.sleep(delay, this.#stopping)
  }
}
