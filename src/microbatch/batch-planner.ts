import { type DurationMs, durationMs, type EpochMs, type Offset } from '../base/units.ts'
import type { PlanEntry } from '../checkpoint/entries.ts'
import { partitionKey } from '../ingest/offset-range.ts'
import type { PartitionBounds } from '../ingest/source.ts'
import type { DriverParts } from './driver-parts.ts'
import type { DriverState } from './driver-state.ts'
import { type NextBatch, planNext } from './next-batch.ts'
import { admitPartitions, backlogOf, type Discrepancy, dataLost, topicTruncated } from './plan-batch.ts'
import { type CutRange, plannedRangeCut, rangesLeft } from './planned-ranges.ts'
import { stopwatch } from './stopwatch.ts'

/** What there is to do: a batch (from a state that knows all partitions), nothing yet, or never again. */
export type Planned = { readonly state: DriverState; readonly batch: NextBatch } | 'nothing' | 'ended'

/** Asks the source what there is and turns it into the next batch; all deciding is done by pure functions. */
export class BatchPlanner {
  readonly #parts: DriverParts
  /** Where an `availableNow` run ends; found out once, when the run begins. */
  #ending: ReadonlyMap<string, Offset> | null = null
  // by the clock that never jumps: how long something lasts must not depend on somebody setting the time
  /** Since when fewer rows than `minOffsetsPerTrigger` wait. */
  #waitingSince: DurationMs | null = null
  /** Since when a committed offset lies beyond the end of its topic. */
  #aheadSince: DurationMs | null = null

  constructor(parts: DriverParts) {
    this.#parts = parts
  }

  /** The state with partitions that appeared since. */
  async admit(state: DriverState): Promise<DriverState> {
    return this.#admit(state, await this.#parts.source.bounds())
  }

  /** @throws DATA_LOST where offsets are gone that were never read, and whatever the source throws */
  async next(before: DriverState, triggeredAt: EpochMs): Promise<Planned> {
    const { source, clock, settings, plan } = this.#parts
    const watch = stopwatch(clock)
    const startedAt = clock.nowMs()
    const elapsed = clock.monotonicMs()
    const bounds = await source.bounds()
    watch.lap('latestOffset')
    const ending = settings.trigger.kind === 'availableNow' ? await this.#endOfRun(bounds) : null
    const state = this.#admit(before, bounds)
    const failOnDataLoss = plan.source.kind !== 'kafka' || plan.source.failOnDataLoss
    const { backlog, skipped, ahead } = backlogOf(state.position.partitions, bounds, { failOnDataLoss, ending })
    this.#reportSkipped(skipped)
    this.#refuseTruncated(ahead, elapsed)
    const atEnd = ending !== null && backlog.every(each => each.from >= (ending.get(partitionKey(each)) ?? each.from))
    const waitedMs = durationMs(elapsed - (this.#waitingSince ?? elapsed))
    const when = { now: startedAt, waitedMs, atEnd }
    const decision = planNext(this.#parts, state, backlog, when)
    this.#waitingSince = decision.kind === 'gather' ? (this.#waitingSince ?? elapsed) : null
    watch.lap('queryPlanning')
    if (decision.kind === 'batch') {
      const { plan: proposed, explanation, intervalMs } = decision
      const timing = { latestOffsetMs: watch.of('latestOffset'), queryPlanningMs: watch.of('queryPlanning') }
      return {
        state,
        batch: { plan: proposed, logged: null, backlog, explanation, intervalMs, triggeredAt, startedAt, ...timing },
      }
    }
    return atEnd && decision.kind === 'nothing' ? 'ended' : 'nothing'
  }

  /**
   * A batch from the log, once its source holds what was planned. Where that is gone for good and the user allows it, what is
   * left of it. @throws DATA_LOST, ABORTED
   */
  async whatIsLeft(batch: NextBatch, logged: PlanEntry, signal: AbortSignal): Promise<NextBatch> {
    const { source, clock, settings, plan } = this.#parts
    if (plan.source.kind !== 'kafka') return batch
    const { failOnDataLoss } = plan.source
    const startedAt = clock.monotonicMs()
    for (;;) {
      const bounds = await source.bounds()
      const { deleted, cut, ranges } = rangesLeft(logged.ranges, bounds)
      if (failOnDataLoss && deleted[0] !== undefined) throw dataLost(deleted[0])
      const patient = clock.monotonicMs() - startedAt < settings.truncationGraceMs
      if (cut[0] === undefined || !patient) {
        if (failOnDataLoss && cut[0] !== undefined) throw plannedRangeCut(cut[0])
        this.#reportSkipped(deleted)
        this.#reportCut(cut)
        const left = cut.length === 0 ? logged : { ...logged, ranges }
        return { ...batch, plan: left, logged: left }
      }
      await clock.sleep(settings.pollIntervalMs, signal)
    }
  }

  #admit(state: DriverState, bounds: readonly PartitionBounds[]): DriverState {
    const { clock, plan } = this.#parts
    const { position } = state
    const partitions = admitPartitions(position.partitions, bounds, plan.branches.length, clock.nowMs())
    return partitions === position.partitions ? state : state.at({ ...position, partitions })
  }

  async #endOfRun(bounds: readonly PartitionBounds[]): Promise<ReadonlyMap<string, Offset>> {
    if (this.#ending === null) {
      const told = await this.#parts.source.endingOffsets()
      const latest = new Map(bounds.map(bound => [partitionKey(bound), bound.latest]))
      this.#ending = told === null ? latest : new Map(told.map(end => [partitionKey(end), end.offset]))
    }
    return this.#ending
  }

  #reportSkipped(skipped: readonly Discrepancy[]): void {
    for (const { topic, partition, committed, earliest } of skipped) {
      const message = `${topic}/${partition}: offsets ${committed} to ${earliest - 1} were deleted before they were read, and are skipped`
      this.#parts.emit({ kind: 'warning', code: 'DATA_LOST', message })
    }
  }

  #reportCut(cut: readonly CutRange[]): void {
    for (const { topic, partition, from, until, latest } of cut) {
      const message = `${topic}/${partition}: offsets ${Math.max(from, latest)} to ${until - 1} were planned, but the topic lost its end, and they are skipped`
      this.#parts.emit({ kind: 'warning', code: 'DATA_LOST', message })
    }
  }

  /** A new leader may for a moment not know the end that the old one told; longer than that, the topic was cut. */
  #refuseTruncated(ahead: readonly Discrepancy[], now: DurationMs): void {
    const [first] = ahead
    if (first === undefined) {
      this.#aheadSince = null
      return
    }
    this.#aheadSince ??= now
    if (now - this.#aheadSince >= this.#parts.settings.truncationGraceMs) throw topicTruncated(first)
  }
}
