/**
 * Which rows of a batch are meant, without an object per row: a run of positions, or a rising list of them.
 */
export type RowSet =
  | { readonly kind: 'range'; readonly from: number; readonly until: number }
  | { readonly kind: 'list'; readonly rows: Int32Array }

/** How many rows are meant. */
export const rowSetSize = (set: RowSet): number => (set.kind === 'range' ? set.until - set.from : set.rows.length)

/** The rows that count of a batch of `length` rows: its selection, or all. */
export const selectedRows = (selection: Int32Array | null, length: number): RowSet =>
  selection === null ? { kind: 'range', from: 0, until: length } : { kind: 'list', rows: selection }

/** Rows from the `start`-th to before the `end`-th of the set. Shares memory. */
export const sliceRows = (set: RowSet, start: number, end: number): RowSet =>
  set.kind === 'range'
    ? { kind: 'range', from: set.from + start, until: Math.min(set.until, set.from + end) }
    : { kind: 'list', rows: set.rows.subarray(start, end) }

/** A list without gaps is a run, which is copied faster. */
export const denseRows = (rows: Int32Array): RowSet => {
  const first = rows[0]
  const last = rows[rows.length - 1]
  return first !== undefined && last !== undefined && last - first + 1 === rows.length
    ? { kind: 'range', from: first, until: last + 1 }
    : { kind: 'list', rows }
}
