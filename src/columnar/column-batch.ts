import type { Column } from './column.ts'
import type { RecordBatch } from './record-batch.ts'
import type { TableSchema } from './schema.ts'

/** Where the rows of a batch came from: row i was decoded from record `recordOf[i]` of `records`. */
export interface RowOrigin {
  readonly records: RecordBatch
  readonly recordOf: Int32Array
}

/**
 * Typed columns of equal length: what stages hand to each other.
 *
 * A filter does not move values; it narrows `selection`. Whoever consumes rows walks `selection` when there is
 * one and 0 … length - 1 otherwise (`rowCount` and `rowAt` do so); `compact` in `gather.ts` makes it dense.
 */
export interface ColumnBatch {
  readonly schema: TableSchema
  /** One for each field of the schema, in its order. */
  readonly columns: readonly Column[]
  /** Length of every column. */
  readonly length: number
  /** Rising positions of the rows that count; `null` where all do. */
  readonly selection: Int32Array | null
  /** `null` for rows that were computed from many (aggregates). */
  readonly origin: RowOrigin | null
}

/** How many rows of a batch count. */
export const rowCount = (batch: ColumnBatch): number => batch.selection?.length ?? batch.length
