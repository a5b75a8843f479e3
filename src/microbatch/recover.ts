import { BEFORE_ALL_TIME, batchId } from '../base/units.ts'
import type { CommitEntry, PlanEntry } from '../checkpoint/entries.ts'
import { statesOf } from '../executor/aggregation-state.ts'
import { type BatchLedger, emptyLedger } from '../executor/batch-ledger.ts'
import { partitionKey } from '../ingest/offset-range.ts'
import { clearUpAll, publishAll, resumeAll, sinkRemoved, splitBySink } from './deliver.ts'
import type { DriverParts } from './driver-parts.ts'
import { DriverState } from './driver-state.ts'
import { fresh } from './plan-batch.ts'

/** Where a driver begins: after the last commit, perhaps with a plan that a crash left without a commit. */
export interface Recovered {
  readonly state: DriverState
  readonly openPlan: PlanEntry | null
}

/**
 * Brings a pipeline back to the point that its logs name.
 *
 *     newest commit N
 *       none: start where the source is told to start
 *       else: if there is no plan N + 1, publish what commit N lists (a crash may have come between); sinks that the
 *             pipeline has no longer are left out where a driver ended after it had published all
 *             drop what was prepared for batches up to N and is listed nowhere
 *             load the state that commit N lists
 *     plan N + 1 without a commit: run it again, with its ranges and its watermarks
 *
 * A plan N + 1 is only written when batch N is wholly visible, so one commit is all that needs to be looked at.
 */
export const recover = async (parts: DriverParts): Promise<Recovered> => {
  const { commit, openPlan } = await parts.checkpoint.recover()
  resumeAll(parts.sinks, commit?.receipts ?? [], parts.checkpoint)
  if (commit !== null) {
    if (openPlan === null) await publishAgain(parts, commit)
    await clearUpAll(parts.sinks, commit.batchId)
  }
  const state = commit === null ? await firstState(parts, openPlan) : await stateAfter(parts, commit)
  parts.source.resumed?.(state.position.partitions)
  return { state, openPlan }
}

/** @throws PLAN_CHANGED where a sink is gone and its output may not be visible */
const publishAgain = async ({ sinks, checkpoint }: DriverParts, commit: CommitEntry): Promise<void> => {
  const { present, removed } = splitBySink(sinks, commit.receipts)
  const [first] = removed
  if (first !== undefined && !(await checkpoint.wasPublished(commit.batchId))) throw sinkRemoved(first)
  await publishAll(sinks, present)
}

const firstState = async (parts: DriverParts, openPlan: PlanEntry | null): Promise<DriverState> => {
  const now = parts.clock.nowMs()
  const { branches } = parts.plan
  const starts = await parts.source.startingOffsets()
  // the first plan fixed where its partitions start, even if 'latest' means another offset by now
  const planned = new Map((openPlan?.ranges ?? []).map(range => [partitionKey(range), range.from]))
  const partitions = starts.map(start =>
    fresh({ ...start, offset: planned.get(partitionKey(start)) ?? start.offset }, branches.length, now),
  )
  const watermarks = branches.map(() => BEFORE_ALL_TIME)
  const manifests = branches.map(() => null)
  return new DriverState(
    batchId(0),
    { partitions, watermarks },
    manifests,
    statesOf(parts.kernels, branches),
    emptyLedger,
  )
}

const stateAfter = async (parts: DriverParts, commit: CommitEntry): Promise<DriverState> => {
  const aggregations = statesOf(parts.kernels, parts.plan.branches)
  for (const [branch, aggregation] of aggregations.entries()) {
    const manifest = commit.state[branch] ?? null
    if (aggregation === null || manifest === null) continue
    const objects = manifest.snapshot === null ? manifest.changes : [manifest.snapshot, ...manifest.changes]
    for (const object of objects) aggregation.restore(await parts.checkpoint.readState(object))
  }
  const { totals } = commit.ledger as unknown as { readonly totals: BatchLedger }
  const position = { partitions: commit.partitions, watermarks: commit.watermarks }
  return new DriverState(batchId(commit.batchId + 1), position, commit.state, aggregations, totals)
}

/** The state with every partition moved to where the source is told to start (`--reset-offsets`). */
export const withOffsetsReset = async (parts: DriverParts, state: DriverState): Promise<DriverState> => {
  const starts = new Map((await parts.source.startingOffsets()).map(start => [partitionKey(start), start.offset]))
  const partitions = state.position.partitions.map(partition => ({
    ...partition,
    offset: starts.get(partitionKey(partition)) ?? partition.offset,
  }))
  return state.at({ ...state.position, partitions })
}
