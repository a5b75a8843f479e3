import { aborted } from '../base/abortable.ts'
import type { PlanEntry } from '../checkpoint/entries.ts'
import { discardAll, prepareAll, publishAll } from './deliver.ts'
import type { DriverParts } from './driver-parts.ts'
import type { DriverState } from './driver-state.ts'
import { learn, mirrorOffsets } from './learn.ts'
import type { NextBatch } from './next-batch.ts'
import { computeOutputs } from './outputs.ts'
import { stopwatch } from './stopwatch.ts'
import { tasksOf } from './tasks.ts'

/**
 * The path of one micro-batch, from plan to progress. Nothing else is in here.
 *
 * Whatever crashes between two of these lines, a successor goes on from the logs alone: a plan without a commit is run
 * again with the same ranges and watermarks, a commit whose output is not all visible is published again. That is why
 * the story has no `try`: retries, time-outs and back-off wrap the ports from outside.
 *
 * @returns the state after the batch, or `null` where a driver before us had finished it: recover anew then
 */
export const runMicroBatch = async (
  parts: DriverParts,
  state: DriverState,
  next: NextBatch,
  signal: AbortSignal,
): Promise<DriverState | null> => {
  const watch = stopwatch(parts.clock)

  // 1 plan, 2 log the plan: from here on the batch's ranges are fixed, whoever runs it
  const plan: PlanEntry = next.logged ?? (await parts.checkpoint.logPlan(next.plan))
  watch.lap('walCommit')

  // 3 read and compute: a task for each range or some of them, then the results of all
  const tasks = tasksOf(plan)
  const results = await parts.executor.run(tasks, signal)
  const computed = computeOutputs(parts, state.aggregations, plan, tasks, results)
  watch.lap('addBatch')

  // 4 prepare: every sink takes its output, and no reader sees it
  const receipts = await prepareAll(parts.sinks, computed.outputs)
  watch.lap('prepare')

  // 5 commit: offsets, watermarks, state, receipts and ledger move together, or not at all; never of an abandoned batch
  if (signal.aborted) throw aborted('the micro-batch')
  const committed = await state.commit(parts, plan, computed, receipts)
  watch.lap('commitOffsets')
  if (committed.adopted) {
    await discardAll(parts.sinks, receipts)
    return null
  }

  // 6 publish: what the commit lists becomes visible
  await publishAll(parts.sinks, committed.entry.receipts)
  mirrorOffsets(parts, committed.entry)
  watch.lap('publish')

  // 7 learn: the next rate, and the news for whoever listens
  learn(parts, state, { next, plan, computed, watch })
  return committed.state
}
