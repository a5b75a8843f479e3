import type { Bounds } from './bounds.ts'
import type { Leaf } from './parquet-types.ts'

/** What is known of a data page of a column chunk. */
export interface DataPage {
  /** Bytes in the file, with its header. */
  readonly byteSize: number
  /** Rows of the chunk before its first one. */
  readonly firstRow: number
  readonly nulls: number
  /** No value but nulls (and empty lists). */
  readonly isEmpty: boolean
  /** `null` where it has no value, or one that is not comparable. */
  readonly bounds: Bounds | null
}

/** All values of a column within a row group, encoded. */
export interface ColumnChunk {
  readonly leaf: Leaf
  /** With its header; empty where there is no dictionary. */
  readonly dictionaryPage: Uint8Array
  /** The data pages one after the other, each behind its header. */
  readonly contents: Uint8Array
  readonly pages: readonly DataPage[]
  /** Whether values lie in some pages as they are. */
  readonly hasPlainPages: boolean
  /** Values, nulls among them, and empty lists. */
  readonly entries: number
  /** Bytes with headers, before compression. */
  readonly uncompressedBytes: number
}

/** Bytes of a chunk in the file. */
export const chunkBytes = ({ dictionaryPage, contents }: ColumnChunk): number => dictionaryPage.length + contents.length

/** Bounds of all values; `null` where there is none or a page has some that are not comparable. */
export const chunkBounds = ({ pages }: ColumnChunk, widest: (one: Bounds, other: Bounds) => Bounds): Bounds | null => {
  let all: Bounds | null = null
  for (const { bounds, isEmpty } of pages) {
    if (isEmpty) continue
    if (bounds === null) return null
    all = all === null ? bounds : widest(all, bounds)
  }
  return all
}
