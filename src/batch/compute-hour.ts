import { hourRange } from '../base/hours.ts'
import { AFTER_ALL_TIME, BEFORE_ALL_TIME, batchId } from '../base/units.ts'
import { statesOf } from '../executor/aggregation-state.ts'
import { refuseTooManyBadRows } from '../executor/bad-rows.ts'
import { assertLedgerAddsUp, type BatchLedger, sumLedgers } from '../executor/batch-ledger.ts'
import { branchOutputs, withResultStages } from '../executor/branch-outputs.ts'
import type { Task, TaskResult } from '../executor/task.ts'
import type { EncodedFile } from '../sinks/sink.ts'
import type { BatchParts } from './batch-parts.ts'
import type { HourPlan } from './hour-inputs.ts'

/** The results of an hour before any store has heard of them. */
export interface ComputedHour {
  readonly tables: readonly { readonly table: string; readonly files: readonly EncodedFile[] }[]
  readonly ledger: BatchLedger
}

/** One task for each split. No row is late to a batch job. */
export const hourTasks = ({ batch }: BatchParts, { hour, splits }: HourPlan): readonly Task[] =>
  splits.map((split, index) => ({
    batchId: batchId(0),
    index,
    split,
    watermarks: batch.branches.map(() => BEFORE_ALL_TIME),
    triggeredAt: AFTER_ALL_TIME,
    only: { ...hourRange(hour), columns: batch.branches.map(branch => branch.hourColumn) },
  }))

/** Puts the results of an hour's tasks together as a stream would, and closes all windows. @throws TOO_MANY_BAD_ROWS */
export const computeHour = (parts: BatchParts, results: readonly TaskResult[]): ComputedHour => {
  const { kernels, encoder, settings, batch } = parts
  const { branches } = batch.plan
  const taskLedger = sumLedgers(results.map(result => result.ledger))
  refuseTooManyBadRows(taskLedger, settings.maxBadRows)
  const states = statesOf(kernels, branches)
  const around = { encoder, limits: settings.limits }
  const perBranch = branches.map((branch, at) =>
    branchOutputs(branch, at, states[at] ?? null, results, AFTER_ALL_TIME, around),
  )
  const ledger = withResultStages(taskLedger, perBranch)
  assertLedgerAddsUp(ledger)
  const tables = branches.flatMap((branch, at) =>
    branch.sinks.flatMap((sink, index) =>
      sink.kind === 'parquet' ? [{ table: sink.table, files: perBranch[at]?.deliveries[index]?.files ?? [] }] : [],
    ),
  )
  return { tables, ledger }
}
