import type { ScalarColumn } from './column.ts'

/** Columns of two values need no dictionary. */
export type DictionaryKind = Exclude<ScalarColumn['kind'], 'bool'>

/**
 * Distinct values, numbered in the order in which they came: for dictionary pages and for the texts of group keys. Values
 * are the same where their bits are.
 */
export interface ValueDictionary {
  readonly size: number
  /** Bytes of the plain values. */
  readonly byteSize: number
  /**
   * Numbers of values, new ones added; valid until the next call. `null` where the dictionary would
   * grow beyond its limit, or there is no memory for it: it then has the values of before, and takes no more.
   */
  numbersOf(values: ScalarColumn): Int32Array | null
  /** All values in the order of their numbers, valid until the next call. */
  values(): ScalarColumn
  /** Gives its memory back; nothing may be asked of it any more. */
  free(): void
}
