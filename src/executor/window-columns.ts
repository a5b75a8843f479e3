import { assert, present } from '../base/assert.ts'
import { type EpochMs, epochMs } from '../base/units.ts'
import type { Column, Int64Column } from '../columnar/column.ts'
import type { ColumnBatch } from '../columnar/column-batch.ts'
import { int64Words, readInt64 } from '../columnar/int64-words.ts'
import { fieldIndex } from '../columnar/schema.ts'
import { type AggregationNode, WINDOW_START } from '../pipeline/plan.ts'

const windowStarts = (batch: ColumnBatch): Int64Column => {
  const column = batch.columns[fieldIndex(batch.schema, WINDOW_START)]
  assert(column?.kind === 'timestamp', 'partials of a window have no window_start')
  return column
}

/** The rows of each window, by its start, as narrowed views of one batch. Partials are few: one row per group. */
export const splitByWindow = (partials: ColumnBatch): readonly (readonly [EpochMs, ColumnBatch])[] => {
  assert(partials.selection === null, 'partials are dense')
  const words = int64Words(windowStarts(partials).values)
  const rowsOf = new Map<number, number[]>()
  for (let row = 0; row < partials.length; row += 1) {
    const start = readInt64(words, row)
    const rows = rowsOf.get(start)
    if (rows === undefined) rowsOf.set(start, [row])
    else rows.push(row)
  }
  return [...rowsOf].map(([start, rows]) => [
    epochMs(start),
    rows.length === partials.length ? partials : { ...partials, selection: Int32Array.from(rows) },
  ])
}

/** Puts `window_end` behind `window_start`; results over all time pass unchanged. */
export const withWindowEnd = (results: ColumnBatch, aggregation: AggregationNode): ColumnBatch => {
  if (aggregation.window === null) return results
  const size = BigInt(aggregation.window.sizeMs)
  const starts = windowStarts(results)
  const ends: Column = { ...starts, values: starts.values.map(start => start + size) }
  const [start, ...rest] = results.columns
  return { ...results, schema: aggregation.output, columns: [present(start, 'window_start'), ends, ...rest] }
}
