import type { Column } from '../../column.ts'
import type { GroupedRows } from './loops.ts'

/** The accumulators of one aggregate, one for each group, in typed arrays. */
export interface Accumulator {
  readonly byteSize: number
  /** Folds values in. `column` is `null` where rows are counted. */
  add(column: Column | null, rows: GroupedRows): void
  /** Folds accumulator columns (as `columns` makes them) in. */
  merge(columns: readonly Column[], rows: GroupedRows): void
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

/** The pairs of words that begin at words[at + stride * group] as 64-bit integers. */
export const takePairs = (words: Int32Array, groups: Int32Array, at: number, stride: number): BigInt64Array => {
  const pairs = new Int32Array(groups.length * 2)
  for (let i = 0; i < groups.length; i += 1) {
    const from = at + (groups[i] as number) * stride
    pairs[2 * i] = words[from] as number
    pairs[2 * i + 1] = words[from + 1] as number
  }
  return new BigInt64Array(pairs.buffer)
}

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
