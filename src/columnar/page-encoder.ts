import type { ScalarColumn } from './column.ts'
import type { DictionaryKind, ValueDictionary } from './value-dictionary.ts'

/**
 * The loops of a writer of Parquet pages (https://parquet.apache.org/docs/file-format/data-pages/encodings/). Values are
 * dense: nulls have been taken out, `validity` is `null`.
 */
export interface PageEncoder {
  /** Brings the values of a page to where the loops work; valid until the next call. For values that are used repeatedly. */
  bring<Values extends ScalarColumn>(values: Values): Values
  /** Positions of the least and the greatest value; `null` where there is none or a NaN, which has no place in the order. */
  extremes(values: ScalarColumn): Extremes | null
  /** A page of levels and the values themselves, compressed with Snappy. */
  plainPage(levels: Uint8Array, values: ScalarColumn): EncodedPage
  /**
   * A page of levels and numbers of a dictionary: their bit width, then runs, compressed with Snappy.
   * @param size How many values the dictionary has: one more than the greatest number.
   */
  indexPage(levels: Uint8Array, indices: Int32Array, size: number): EncodedPage
  /** An empty dictionary of at most about so many bytes of plain values. */
  dictionary(kind: DictionaryKind, maxBytes: number): ValueDictionary
}

export interface Extremes {
  readonly least: number
  readonly most: number
}

export interface EncodedPage {
  /** Compressed; valid until the next call. */
  readonly bytes: Uint8Array
  /** Length before compression. */
  readonly plainBytes: number
}
