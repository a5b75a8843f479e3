import { formatHour, hoursOf, type TimeRange } from '../base/hours.ts'
import { checkRange, decideHour, type Reprocess, requireAllHours, runBackfill } from '../batch/backfill.ts'
import type { BackfillSummary } from '../batch/batch-parts.ts'
import type { SkippedBranch } from '../batch/batch-plan.ts'
import { claimHours } from '../batch/claims.ts'
import { planHour } from '../batch/hour-inputs.ts'
import { HourLog } from '../batch/hour-log.ts'
import { type BatchComposition, composeBatch, hasEnded } from './compose-batch.ts'
import { systemClock } from './system.ts'

/** Which hours, and what of them. */
export interface BackfillRequest extends BatchComposition {
  readonly range: TimeRange
  readonly reprocess: Reprocess
}

/**
 * Computes the hours of a range from what was landed, or from Kafka, and publishes each whole.
 * @throws INVALID_USAGE, INVALID_PIPELINE, HOURS_CLAIMED, HOURS_FAILED where some did not succeed, ABORTED, FENCED
 */
export const backfill = async (request: BackfillRequest, signal: AbortSignal): Promise<BackfillSummary> => {
  const { range, reprocess, maxActive } = request
  checkRange(range, systemClock.nowMs())
  const { parts, claimant, makeLane, close } = await composeBatch(request)
  try {
    const claim = await claimHours(range, { ...parts, pipeline: request.plan.name, claimant, hasEnded })
    try {
      const lanes = await Promise.all(Array.from({ length: maxActive }, makeLane))
      const summary = await runBackfill(parts, { range, reprocess, lanes, claim }, signal)
      requireAllHours(summary)
      return summary
    } finally {
      await claim.release()
    }
  } finally {
    await close()
  }
}

/** An hour of a dry run: what would be done, and over what. */
export interface PlannedHour {
  readonly hour: string
  readonly action: 'compute' | 'publish' | 'skip'
  readonly why: string
  readonly tasks: number
  readonly bytes: number
}

/** What a backfill would do; nothing is claimed, computed or written. */
export const planBackfill = async (
  request: BackfillRequest,
): Promise<{ readonly hours: readonly PlannedHour[]; readonly skipped: readonly SkippedBranch[] }> => {
  checkRange(request.range, systemClock.nowMs())
  const { parts, close } = await composeBatch(request)
  try {
    const log = new HourLog(parts, request.plan.name)
    const hours: PlannedHour[] = []
    for (const hour of hoursOf(request.range)) {
      const decision = decideHour(await log.read(hour), request.reprocess)
      const plan = decision.kind === 'compute' ? await planHour(parts, hour) : null
      hours.push({
        hour: formatHour(hour),
        action: decision.kind,
        why: decision.kind === 'skip' ? decision.why : '',
        tasks: plan?.splits.length ?? 0,
        bytes: plan?.bytes ?? 0,
      })
    }
    return { hours, skipped: parts.batch.skipped }
  } finally {
    await close()
  }
}
