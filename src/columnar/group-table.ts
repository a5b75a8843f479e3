import type { ColumnBatch } from './column-batch.ts'
import type { ColumnType, TableSchema } from './schema.ts'

/** How many rows fall into a group is counted apart from `count(column)`, which leaves nulls out. */
export type AggregateFunction = 'count' | 'sum' | 'min' | 'max' | 'avg'

/** One aggregate of a group: `fn` over `column`, put into a column named `as`. */
export interface AggregateSpec {
  readonly fn: AggregateFunction
  /** `null` only for `count` of rows. */
  readonly column: string | null
  readonly as: string
  /** Type of the finished column. `sum` of integers is int64 and exact, `avg` is float64. */
  readonly type: ColumnType
}

export interface GroupSpec {
  /** Columns that make a group; nulls are a value of their own, as in SQL's GROUP BY. */
  readonly keys: readonly string[]
  readonly aggregates: readonly AggregateSpec[]
}

/**
 * A hash table from group keys to accumulators, grown as groups come. Used by tasks for partial aggregates
 * and by the driver for state; it never holds a row object.
 *
 * A *partial* batch has the key columns followed by accumulator columns (`partialSchema`); partials of the same
 * spec can be merged in any order. Floating-point sums may differ in the last bits by order; integers never do.
 */
export interface GroupTable {
  readonly groups: number
  /** Key columns, then accumulators: what `takeChanged`, `all` and `merge` speak. */
  readonly partialSchema: TableSchema
  /** Key columns, then finished aggregates: what `finish` gives. */
  readonly resultSchema: TableSchema
  /** About how many bytes the table holds. */
  readonly byteSize: number
  /** Folds rows in (their selection, if they have one). @throws INTEGER_OVERFLOW where an int64 sum does not fit. */
  add(rows: ColumnBatch): void
  /**
   * Numbers rows (their selection, if they have one) by their groups, which are numbered as they come: into[i] is the group of
   * the i-th row that counts. Folds nothing in.
   */
  number(rows: ColumnBatch, into: Int32Array): void
  /** Folds partials in (their selection, if they have one). */
  merge(partials: ColumnBatch): void
  /** Absolute accumulators of the groups touched since the last call, and forgets that they were touched. */
  takeChanged(): ColumnBatch
  /** Absolute accumulators of all groups, in the order of their numbers. */
  all(): ColumnBatch
  /** Turns partials (of this table's `partialSchema`) into finished results. */
  finish(partials: ColumnBatch): ColumnBatch
  /** Gives its memory back; the table is not used any more. */
  dispose(): void
}
