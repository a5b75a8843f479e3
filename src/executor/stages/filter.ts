import { type ColumnBatch, rowCount } from '../../columnar/column-batch.ts'
import { rowView } from '../../columnar/row-view.ts'
import type { TableSchema } from '../../columnar/schema.ts'
import type { FilterNode } from '../../pipeline/plan.ts'
import { countDropped, type StageScope, type StageStep } from './stage.ts'
import { wrongResult } from './stage-failed.ts'

/** Narrows the selection to the rows for which the predicate is true; no value is moved. */
export const filterStage = (node: FilterNode, input: TableSchema, scope: StageScope): StageStep => {
  const view = rowView(input)
  const { predicate } = node
  return batch => {
    view.bind(batch)
    const rows = rowCount(batch)
    const { selection } = batch
    const kept = new Int32Array(rows)
    let count = 0
    let failed = 0
    for (let at = 0; at < rows; at++) {
      const row = selection === null ? at : (selection[at] as number)
      view.moveTo(row)
      let verdict: unknown
      try {
        verdict = predicate(view.row)
      } catch (error) {
        scope.reject(batch, row, error)
        failed++
        continue
      }
      if (verdict === true) kept[count++] = row
      else if (verdict !== false) throw wrongResult(scope, batch, row, verdict, 'true or false')
    }
    countDropped(scope.counters, 'filtered', rows - count - failed)
    return count === rows ? batch : narrowed(batch, kept.subarray(0, count))
  }
}

const narrowed = (batch: ColumnBatch, selection: Int32Array): ColumnBatch => ({ ...batch, selection })
