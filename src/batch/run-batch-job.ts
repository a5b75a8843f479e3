import { formatHour } from '../base/hours.ts'
import type { EpochMs } from '../base/units.ts'
import { countsTotal, droppedFor } from '../executor/batch-ledger.ts'
import { STAGE_ERROR } from '../executor/stages/stage.ts'
import type { Executor } from '../executor/task.ts'
import type { BatchParts, HourDone } from './batch-parts.ts'
import { computeHour, hourTasks } from './compute-hour.ts'
import { publishCopies, removeOldGenerations, writeGeneration } from './generations.ts'
import { planHour } from './hour-inputs.ts'
import type { HourLog, HourOwner, VersionedRecord } from './hour-log.ts'

/**
 * The path of one hour, from plan to publication: the same story as a micro-batch's, over objects instead of offsets.
 *
 * Whatever crashes between two of these lines, the hour's record says how far it came: a planned hour is computed anew
 * as the next generation, a committed one needs only its copies. Readers that follow the record see one generation
 * whole, then the next one whole.
 *
 * @throws FENCED where another run took the hour over; otherwise what made the hour fail: nothing of it is visible then
 */
export const runBatchJob = async (
  parts: BatchParts,
  log: HourLog,
  executor: Executor,
  owner: HourOwner,
  hour: EpochMs,
  signal: AbortSignal,
): Promise<HourDone> => {
  const startedAt = parts.clock.monotonicMs()

  // 1 plan: which pieces of the landed table, or offsets, hold the hour's rows
  const plan = await planHour(parts, hour)

  // 2 log the plan: the hour's next generation is ours
  const before = await log.read(hour)
  const planned = await log.plan(hour, before, owner, plan.inputs)
  parts.emit({ kind: 'hourStarted', hour: formatHour(hour), tasks: plan.splits.length, bytes: plan.bytes })

  // 3 read and compute: the stream's own stages, one task for each split
  const results = await executor.run(hourTasks(parts, plan), signal)
  const computed = computeHour(parts, results)

  // 4 prepare: the generation's files, which no record points to yet
  const { generation } = planned.record.attempt
  const tables = await writeGeneration(parts, hour, generation, computed)

  // 5 commit: the record moves to the generation, for all tables at once
  const { ledger } = computed
  const committed = await log.commit(hour, planned, { source: parts.source, rowsRead: ledger.read, tables })

  // 6 publish: plain copies for those who list, and the end of generations that nobody follows any more
  await publishHour(parts, log, hour, committed, before?.record.published?.generation ?? null)
  return {
    hour: formatHour(hour),
    generation,
    rowsRead: ledger.read,
    badRows: countsTotal(ledger.bad) + droppedFor(ledger, STAGE_ERROR),
    tables: tables.map(({ table, rows, files }) => ({ table, rows, files: files.length })),
    durationMs: parts.clock.monotonicMs() - startedAt,
  }
}

/** The last step alone, repeatable: for an hour that a crash left committed. */
export const publishHour = async (
  parts: BatchParts,
  log: HourLog,
  hour: EpochMs,
  committed: VersionedRecord,
  last: number | null,
): Promise<void> => {
  const { published } = committed.record
  if (published === null) return
  await publishCopies(parts, hour, published.tables)
  await removeOldGenerations(parts, hour, last === null ? [] : [last], published.generation)
  await log.finish(hour, committed)
}
