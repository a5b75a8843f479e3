import type { Bounds } from './bounds.ts'
import type { Leaf } from './parquet-types.ts'

/** A page as it is in the file. */
export interface Page {
  readonly header: Uint8Array
  /** Compressed. */
  readonly contents: Uint8Array
}

/** One data page of a column chunk. */
export interface DataPage extends Page {
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
  /** `null` where there is no dictionary. */
  readonly dictionaryPage: Page | null
  readonly pages: readonly DataPage[]
  /** Whether values lie in some pages as they are. */
  readonly hasPlainPages: boolean
  /** Values, nulls among them, and empty lists. */
  readonly entries: number
  /** Bytes with headers, before compression. */
  readonly uncompressedBytes: number
}

/** Bytes of a page in the file; 0 where there is none. */
export const pageBytes = (page: Page | null): number => (page === null ? 0 : page.header.length + page.contents.length)

/** Bytes of a chunk in the file. */
export const chunkBytes = ({ dictionaryPage, pages }: ColumnChunk): number =>
  pages.reduce((sum, page) => sum + pageBytes(page), pageBytes(dictionaryPage))

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
