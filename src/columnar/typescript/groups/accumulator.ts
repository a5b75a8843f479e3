import { assert } from '../../../base/assert.ts'
import type { Column } from '../../column.ts'

/**
 * The accumulators of one aggregate, one for each group, in typed arrays. Called once per batch, with the group of each
 * row; `groups` is how many groups there are by then.
 */
export interface Accumulator {
  readonly byteSize: number
  /** Folds values in. `column` is `null` where rows are counted. */
  add(column: Column | null, selection: Int32Array | null, groupOf: Int32Array, rows: number, groups: number): void
  /** Folds accumulator columns (as `columns` makes them) in. */
  merge(
    columns: readonly Column[],
    selection: Int32Array | null,
    groupOf: Int32Array,
    rows: number,
    groups: number,
  ): void
  /** Accumulator columns of these groups. */
  columns(groups: Int32Array): readonly Column[]
}

/** Puts the values of these groups into `into`, in their order; makes no object, unlike `from` with a function. */
export const takeGroups = <Values extends Int32Array | Float32Array | Float64Array>(
  into: Values,
  values: { readonly [group: number]: number },
  groups: Int32Array,
): Values => {
  for (let at = 0; at < groups.length; at += 1) into[at] = values[groups[at] as number] as number
  return into
}

/** Whether the bit of a row is not set. */
export const isNull = (validity: Uint8Array, row: number): boolean =>
  ((validity[row >> 3] as number) & (1 << (row & 7))) === 0

/** A bitmap of the groups that have a value, or `null` where all have. */
export const validityOf = (seen: Uint8Array, groups: Int32Array): Uint8Array | null => {
  let nulls = 0
  const bits = new Uint8Array((groups.length + 7) >> 3)
  for (let i = 0; i < groups.length; i += 1) {
    const valid = seen[groups[i] as number] as number
    nulls += 1 - valid
    bits[i >> 3] = (bits[i >> 3] as number) | (valid << (i & 7))
  }
  return nulls === 0 ? null : bits
}

/** The 32-bit words of a 64-bit column. */
export const wordsOf = (column: Column | undefined): Int32Array => {
  assert(column?.kind === 'int64' || column?.kind === 'timestamp', 'a 64-bit column')
  return new Int32Array(column.values.buffer, column.values.byteOffset, column.values.length * 2)
}
