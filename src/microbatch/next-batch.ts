import { type BatchExplanation, explainBatch } from '../backpressure/explain.ts'
import { shareByLag } from '../backpressure/share-by-lag.ts'
import { type DurationMs, durationMs, type EpochMs } from '../base/units.ts'
import type { PlanEntry } from '../checkpoint/entries.ts'
import type { DriverParts } from './driver-parts.ts'
import type { DriverState } from './driver-state.ts'
import { type Backlog, planWatermarks, rangesOf } from './plan-batch.ts'
import { plannedInterval } from './triggers.ts'

/** A batch that is due, with what is told of it afterwards. */
export interface NextBatch {
  readonly plan: Omit<PlanEntry, 'epoch' | 'nonce'>
  /** The plan as a crash left it in the log; it is run as it stands. */
  readonly logged: PlanEntry | null
  /** What waited when the batch was planned. */
  readonly backlog: readonly Backlog[]
  readonly explanation: BatchExplanation | null
  /** The length of time that its rows were planned for. */
  readonly intervalMs: DurationMs
  /** When the trigger fired, and when work on the batch began. */
  readonly triggeredAt: EpochMs
  readonly startedAt: EpochMs
  readonly latestOffsetMs: DurationMs
  readonly queryPlanningMs: DurationMs
}

/** A batch to run, rows to wait for (`minOffsetsPerTrigger`), or nothing at all. */
export type Decision =
  | ({ readonly kind: 'batch' } & Pick<NextBatch, 'plan' | 'explanation' | 'intervalMs'>)
  | { readonly kind: 'gather' }
  | { readonly kind: 'nothing' }

/** A plan that was found in the log without a commit. */
export const resumedBatch = (logged: PlanEntry, now: EpochMs): NextBatch => ({
  plan: logged,
  logged,
  backlog: logged.ranges.map(({ topic, partition, from, until }) => ({ topic, partition, from, latest: until })),
  explanation: null,
  intervalMs: durationMs(0),
  triggeredAt: now,
  startedAt: now,
  latestOffsetMs: durationMs(0),
  queryPlanningMs: durationMs(0),
})

/** When a batch is planned. */
export interface PlanningMoment {
  readonly now: EpochMs
  /** How long rows have waited for `minOffsetsPerTrigger`. */
  readonly waitedMs: DurationMs
  /** Whether a run that has an end has reached it. */
  readonly atEnd: boolean
}

/**
 * Decides on the next batch. Rows make one, within what the rate limiter allows. Without rows there is still one when
 * the watermark can close windows (Spark's no-data batch), at the end of a run that flushes, and at the very
 * beginning, so that where the pipeline starts is on record before anything can go wrong.
 */
export const planNext = (
  parts: DriverParts,
  state: DriverState,
  backlog: readonly Backlog[],
  when: PlanningMoment,
): Decision => {
  const { settings, plan } = parts
  const lag = backlog.reduce((rows, { from, latest }) => rows + latest - from, 0)
  if (tooFewToStart(parts, lag, when)) return { kind: 'gather' }
  const delays = plan.branches.map(branch => branch.aggregation?.window?.delayMs ?? null)
  const watermarks = planWatermarks(state.position, backlog, delays, settings.idleTimeoutMs, when.now)
  const flush =
    settings.trigger.kind === 'availableNow' && settings.trigger.flush && when.atEnd && hasOpenWindows(state)
  const closes = state.aggregations.some((each, branch) => each?.canClose(watermarks[branch] as EpochMs) === true)
  const first = state.nextBatchId === 0
  if (lag === 0 && !flush && !closes && !first) return { kind: 'nothing' }
  const intervalMs = plannedInterval(settings.trigger, settings.targetIntervalMs)
  const limit = parts.rate.limit(intervalMs)
  const cap = plan.source.kind === 'kafka' ? plan.source.maxOffsetsPerTrigger : null
  const untils = shareByLag(Math.min(limit.maxRows, cap ?? Infinity), backlog, state.nextBatchId)
  return {
    kind: 'batch',
    intervalMs,
    explanation: explainBatch(limit, cap, backlog, untils),
    plan: {
      batchId: state.nextBatchId,
      triggeredAt: when.now,
      ranges: rangesOf(backlog, untils, first),
      watermarks,
      flush,
    },
  }
}

const hasOpenWindows = (state: DriverState): boolean =>
  state.aggregations.some(aggregation => aggregation !== null && aggregation.lastWindowEnd() !== null)

const tooFewToStart = (
  { plan: { source }, settings }: DriverParts,
  lag: number,
  { waitedMs }: PlanningMoment,
): boolean => {
  if (source.kind !== 'kafka' || source.minOffsetsPerTrigger === null || settings.trigger.kind === 'availableNow')
    return false
  if (lag === 0 || lag >= source.minOffsetsPerTrigger) return false
  return waitedMs < source.maxTriggerDelayMs
}
