import type { MillraceError } from '../base/errors.ts'
import type { BinaryColumn } from '../columnar/column.ts'
import { isValid } from '../columnar/column.ts'
import { type ColumnBatch, rowCount } from '../columnar/column-batch.ts'
import type { BranchPlan } from '../pipeline/plan.ts'
import { folderRefusal } from '../sinks/value-partitions.ts'
import { type RejectedRecords, stageScope, toLedger } from './stages/stage.ts'
import type { StageLedger } from './task.ts'

/** Keeps the rows whose values can name the folders of a branch's tables; the others are dead letters. */
export interface NameableRows {
  keep(batch: ColumnBatch): ColumnBatch
  /** A stage `partition`; none where no text names a folder. */
  ledger(): readonly StageLedger[]
}

/** One value that no folder can be named by must not keep all others from landing. */
export const nameableRows = (plan: BranchPlan, rejected: RejectedRecords): NameableRows => {
  const folders = new Set(plan.sinks.flatMap(textsOfFolders))
  const texts = [...plan.output.fields.entries()].filter(([, { name, type }]) => type === 'string' && folders.has(name))
  if (texts.length === 0) return { keep: batch => batch, ledger: () => [] }
  const scope = stageScope({ stage: 'partition', branch: plan.name }, 'deadLetter', rejected)
  const refusalOf = ({ columns }: ColumnBatch, row: number): MillraceError | null => {
    for (const [at, { name }] of texts) {
      const column = columns[at] as BinaryColumn
      const refusal = isValid(column, row) ? folderRefusal(name, column, row) : null
      if (refusal !== null) return refusal
    }
    return null
  }
  return {
    keep(batch) {
      scope.counters.in += rowCount(batch)
      const kept = withoutRows(batch, row => {
        const refusal = refusalOf(batch, row)
        if (refusal !== null) scope.reject(batch, row, refusal)
        return refusal !== null
      })
      scope.counters.out += rowCount(kept)
      return kept
    },
    ledger: () => [toLedger('partition', scope.counters)],
  }
}

const textsOfFolders = (sink: BranchPlan['sinks'][number]): readonly string[] =>
  sink.kind === 'parquet' && sink.partitionBy.kind === 'columns' ? sink.partitionBy.columns : []

/** The batch itself where none goes. */
const withoutRows = (batch: ColumnBatch, goes: (row: number) => boolean): ColumnBatch => {
  const rows = rowCount(batch)
  const { selection } = batch
  let kept: Int32Array | null = null
  let count = 0
  for (let at = 0; at < rows; at++) {
    const row = selection === null ? at : (selection[at] as number)
    if (goes(row)) kept ??= (selection ?? Int32Array.from({ length: rows }, (_, each) => each)).slice(0, rows)
    else if (kept !== null) kept[count++] = row
    else count++
  }
  return kept === null ? batch : { ...batch, selection: kept.subarray(0, count) }
}
