import { aborted } from '../base/abortable.ts'
import { present } from '../base/assert.ts'
import { asMillraceError, MillraceError } from '../base/errors.ts'
import { formatHour, HOUR_MS, hourOf, hoursOf, type TimeRange } from '../base/hours.ts'
import { durationMs, type EpochMs } from '../base/units.ts'
import type { Executor } from '../executor/task.ts'
import type { BackfillSummary, BatchParts } from './batch-parts.ts'
import { CLAIM_LEASE_MS, type HeldClaim } from './claims.ts'
import { HourLog, type HourOwner, type VersionedRecord } from './hour-log.ts'
import { publishHour, runBatchJob } from './run-batch-job.ts'

/** Which hours that were attempted before are computed again; names and meaning as Airflow's. */
export type Reprocess = 'none' | 'failed' | 'completed'

/** Refuses ranges that hold no hour or hours that have not passed. @throws INVALID_USAGE */
export const checkRange = ({ from, until }: TimeRange, now: EpochMs): void => {
  if (from >= until) {
    throw refuse(
      `--from ${formatHour(from)} is not before --to ${formatHour(until)}`,
      '--from is the first hour and --to the hour after the last.',
    )
  }
  if (until > hourOf(now)) {
    throw refuse(
      `the hours to ${formatHour(until)} have not all passed: it is ${new Date(now).toISOString()}`,
      `Choose a --to of ${formatHour(hourOf(now))} at the latest.`,
    )
  }
  if ((until - from) / HOUR_MS > MAX_HOURS) {
    throw refuse(`${(until - from) / HOUR_MS} hours are too many at once`, `Choose at most ${MAX_HOURS} hours.`)
  }
}

const refuse = (message: string, remedy: string): MillraceError =>
  new MillraceError('INVALID_USAGE', message, { remedy })

/** Ten years. */
const MAX_HOURS = 87_600

/** What is to be done with an hour, given its record. */
export type HourDecision =
  | { readonly kind: 'compute' }
  | { readonly kind: 'publish'; readonly record: VersionedRecord }
  | { readonly kind: 'skip'; readonly why: string; readonly failed: boolean }

/** Decides by the record alone. Pure. */
export const decideHour = (before: VersionedRecord | null, reprocess: Reprocess): HourDecision => {
  if (before === null) return { kind: 'compute' }
  const { attempt } = before.record
  switch (attempt.status) {
    case 'planned':
      return { kind: 'compute' }
    case 'committed':
      return reprocess === 'completed' ? { kind: 'compute' } : { kind: 'publish', record: before }
    case 'failed':
      if (reprocess !== 'none') return { kind: 'compute' }
      return { kind: 'skip', why: `failed before: ${attempt.error?.message ?? 'unknown'}`, failed: true }
    case 'done':
      if (reprocess === 'completed') return { kind: 'compute' }
      return { kind: 'skip', why: `done by run ${attempt.runId}`, failed: false }
  }
}

/** What a backfill is run with. */
export interface BackfillOptions {
  readonly range: TimeRange
  readonly reprocess: Reprocess
  /** One for each hour that may be under way at once. */
  readonly lanes: readonly Executor[]
  readonly claim: HeldClaim
}

/**
 * Computes the hours of a range, each on its own: one that fails is recorded and told, the others go on. Resolves when
 * all were tried. @throws FENCED, ABORTED
 */
export const runBackfill = async (
  parts: BatchParts,
  options: BackfillOptions,
  signal: AbortSignal,
): Promise<BackfillSummary> => {
  const log = new HourLog(parts, parts.batch.plan.name)
  const waiting = [...hoursOf(options.range)]
  const owner: HourOwner = { runId: parts.settings.runId, epoch: options.claim.epoch }
  const count = { done: 0, failed: 0, skipped: 0 }
  const { name } = parts.batch.plan
  parts.emit({ kind: 'backfillStarted', pipeline: name, runId: owner.runId, hours: waiting.length })
  const stop = new AbortController()
  const onAbort = () => stop.abort()
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) stop.abort()
  const heartbeat = keepClaim(parts, options.claim, stop)
  const lane = async (executor: Executor): Promise<void> => {
    while (waiting.length > 0 && !stop.signal.aborted) {
      const hour = present(waiting.shift(), 'hour')
      count[await attemptHour(parts, log, executor, owner, hour, options.reprocess, stop.signal)] += 1
    }
  }
  const lanes = await Promise.allSettled(options.lanes.map(executor => lane(executor).finally(() => waiting.splice(0))))
  signal.removeEventListener('abort', onAbort)
  stop.abort()
  const lost = await heartbeat
  if (lost !== null) throw lost
  for (const each of lanes) if (each.status === 'rejected') throw each.reason
  if (signal.aborted) throw aborted('the backfill')
  parts.emit({ kind: 'backfillEnded', ...count })
  return count
}

const attemptHour = async (
  parts: BatchParts,
  log: HourLog,
  executor: Executor,
  owner: HourOwner,
  hour: EpochMs,
  reprocess: Reprocess,
  signal: AbortSignal,
): Promise<keyof BackfillSummary> => {
  try {
    const before = await log.read(hour)
    const decision = decideHour(before, reprocess)
    if (decision.kind === 'skip') {
      parts.emit({ kind: 'hourSkipped', hour: formatHour(hour), why: decision.why })
      return decision.failed ? 'failed' : 'skipped'
    }
    if (decision.kind === 'publish') {
      await publishHour(parts, log, hour, decision.record, null)
      parts.emit({ kind: 'hourSkipped', hour: formatHour(hour), why: 'committed before; its copies were completed' })
      return 'skipped'
    }
    const done = await runBatchJob(parts, log, executor, owner, hour, signal)
    parts.emit({ kind: 'hourDone', ...done })
    return 'done'
  } catch (error) {
    const known = asMillraceError(error)
    if (known.code === 'FENCED' || known.code === 'ABORTED' || signal.aborted) throw error
    await log.fail(hour, owner, known)
    parts.emit({ kind: 'hourFailed', hour: formatHour(hour), code: known.code, message: known.message })
    return 'failed'
  }
}

/** Renews the claim until the work is over. Losing it stops the work. @returns what it was lost to */
const keepClaim = async (parts: BatchParts, claim: HeldClaim, stop: AbortController): Promise<MillraceError | null> => {
  const interval = durationMs(CLAIM_LEASE_MS / 6)
  while (!stop.signal.aborted) {
    try {
      await parts.clock.sleep(interval, stop.signal)
      await claim.renew()
    } catch (error) {
      const known = asMillraceError(error)
      if (known.code === 'FENCED') {
        stop.abort()
        return known
      }
      // the next heartbeat may come through before the lease ends
      if (known.code !== 'ABORTED') parts.emit({ kind: 'warning', code: known.code, message: known.message })
    }
  }
  return null
}

/** @throws HOURS_FAILED where some hours did not succeed */
export const requireAllHours = ({ failed, done }: BackfillSummary): void => {
  if (failed === 0) return
  throw new MillraceError('HOURS_FAILED', `${failed} hours failed, ${done} were computed`, {
    remedy: 'Remove the cause that is named for each hour, then run it again with --reprocess failed.',
    details: { failed, done },
  })
}
