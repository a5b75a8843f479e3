import { type ColumnBatch, rowCount } from '../columnar/column-batch.ts'
import { rowView } from '../columnar/row-view.ts'
import type { TableSchema } from '../columnar/schema.ts'
import type { ConsoleSinkNode } from '../pipeline/plan.ts'

/** Narrows batches to the rows of a task that a console sink can possibly show, so that the others need not cross threads. */
export type ShownRows = (batch: ColumnBatch) => ColumnBatch

/** The first rows of a task, or, of each batch, those with the greatest values (nulls last, ties in order of arrival). */
export const shownRows = (node: ConsoleSinkNode, schema: TableSchema): ShownRows =>
  node.orderBy === null ? firstRows(node.rows) : greatestRows(node.rows, node.orderBy, schema)

const firstRows = (limit: number): ShownRows => {
  let left = limit
  return batch => {
    const selection = positions(batch).subarray(0, left)
    left -= selection.length
    return { ...batch, selection }
  }
}

const greatestRows = (limit: number, column: string, schema: TableSchema): ShownRows => {
  const view = rowView(schema)
  return batch => {
    if (rowCount(batch) <= limit) return batch
    view.bind(batch)
    const rows = positions(batch)
    const values = new Map<number, SortValue>()
    for (const row of rows) {
      view.moveTo(row)
      values.set(row, sortValue(view.row[column]))
    }
    const byValue = [...rows].toSorted((a, b) => descending(values.get(a) ?? null, values.get(b) ?? null) || a - b)
    return { ...batch, selection: Int32Array.from(byValue.slice(0, limit)).toSorted() }
  }
}

const positions = (batch: ColumnBatch): Int32Array =>
  batch.selection ?? Int32Array.from({ length: batch.length }, (_, row) => row)

type SortValue = number | bigint | string | null

/** As the console sink sorts: lists by length, bytes bytewise, NaN like null. */
const sortValue = (value: unknown): SortValue => {
  if (Array.isArray(value)) return value.length
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1')
  if (typeof value === 'boolean') return Number(value)
  return Number.isNaN(value) ? null : (value as SortValue)
}

const descending = (a: SortValue, b: SortValue): number => {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1
  return a < b ? 1 : a > b ? -1 : 0
}
