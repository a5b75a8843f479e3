import { assert } from '../base/assert.ts'
import type { TimeRange } from '../base/hours.ts'
import { isValid } from '../columnar/column.ts'
import { type ColumnBatch, rowCount } from '../columnar/column-batch.ts'
import { int64Words, readInt64 } from '../columnar/int64-words.ts'
import { fieldIndex, type TableSchema } from '../columnar/schema.ts'
import { countDropped, stageCounters, toLedger } from './stages/stage.ts'
import type { StageLedger } from './task.ts'

/** Keeps the rows of a batch job's hour. */
export interface WantedRows {
  keep(batch: ColumnBatch): ColumnBatch
  /** A stage `hour` that drops rows as `otherHour`; none in a stream. */
  ledger(): readonly StageLedger[]
}

/** Rows by the time in one of their columns; `null` keeps all. Rows without a time belong to no hour. */
export const wantedRows = (
  schema: TableSchema,
  wanted: (TimeRange & { readonly column: string | null }) | null,
): WantedRows => {
  if (wanted === null || wanted.column === null) return { keep: batch => batch, ledger: () => [] }
  const at = fieldIndex(schema, wanted.column)
  const counters = stageCounters()
  return {
    keep(batch) {
      const rows = rowCount(batch)
      const kept = rowsWithin(batch, at, wanted)
      counters.in += rows
      counters.out += kept.length
      countDropped(counters, 'otherHour', rows - kept.length)
      return kept.length === rows ? batch : { ...batch, selection: kept }
    },
    ledger: () => [toLedger('hour', counters)],
  }
}

const rowsWithin = (batch: ColumnBatch, at: number, { from, until }: TimeRange): Int32Array => {
  const column = batch.columns[at]
  assert(column?.kind === 'timestamp', 'the hour of a row is told by a timestamp')
  const words = int64Words(column.values)
  const rows = rowCount(batch)
  const kept = new Int32Array(rows)
  let count = 0
  for (let index = 0; index < rows; index++) {
    const row = batch.selection === null ? index : (batch.selection[index] as number)
    if (column.validity !== null && !isValid(column, row)) continue
    const time = readInt64(words, row)
    if (time >= from && time < until) kept[count++] = row
  }
  return kept.subarray(0, count)
}
