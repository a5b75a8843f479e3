import type { TableSchema } from '../../columnar/schema.ts'
import { lowerBound, upperBound, widest } from './bounds.ts'
import { type ColumnChunk, chunkBounds, chunkBytes } from './column-chunk.ts'
import { ENCODING, SNAPPY, schemaElements } from './parquet-types.ts'
import { binary, bool, i16, i32, i64, list, struct, type ThriftValue, text, thriftBytes } from './thrift.ts'

const FORMAT_VERSION = 1
/** In the form that readers parse; those that know defects of certain writers look at it. */
const CREATED_BY = 'millrace version 1 (build 1)'
const UNORDERED = 0
const EMPTY = struct()
const NOTHING = new Uint8Array(0)

/** A row group whose chunks lie in the file one behind the other. */
export interface RowGroup {
  readonly rows: number
  readonly chunks: readonly ColumnChunk[]
  /** Position of the first byte of each chunk in the file. */
  readonly starts: readonly number[]
}

/** What stands behind the data of a file: the page index, then the metadata. */
export interface Footer {
  readonly pageIndex: readonly Uint8Array[]
  readonly metadata: Uint8Array
}

/** @param at Where the page index begins in the file. */
export const footerOf = (schema: TableSchema, groups: readonly RowGroup[], at: number): Footer => {
  const pageIndex: Uint8Array[] = []
  let end = at
  const place = (bytes: Uint8Array | null): Place | null => {
    if (bytes === null) return null
    pageIndex.push(bytes)
    end += bytes.length
    return { offset: end - bytes.length, length: bytes.length }
  }
  const columnIndexes = groups.map(({ chunks }) => chunks.map(chunk => place(columnIndex(chunk))))
  const offsetIndexes = groups.map(({ chunks, starts }) =>
    chunks.map((chunk, column) => place(offsetIndex(chunk, starts[column] as number))),
  )
  const rowGroups = groups.map((group, ordinal) =>
    rowGroup(group, ordinal, column => ({
      column: columnIndexes[ordinal]?.[column] ?? null,
      offset: offsetIndexes[ordinal]?.[column] ?? null,
    })),
  )
  const rows = groups.reduce((sum, group) => sum + group.rows, 0)
  const orders = schema.fields.map(() => struct([1, EMPTY]))
  const metadata = thriftBytes(
    [1, i32(FORMAT_VERSION)],
    [2, schemaElements(schema)],
    [3, i64(rows)],
    [4, list('struct', rowGroups)],
    [6, text(CREATED_BY)],
    [7, list('struct', orders)],
  )
  return { pageIndex, metadata }
}

interface Place {
  readonly offset: number
  readonly length: number
}

interface IndexPlaces {
  readonly column: Place | null
  readonly offset: Place | null
}

const rowGroup = (
  { rows, chunks, starts }: RowGroup,
  ordinal: number,
  indexes: (column: number) => IndexPlaces,
): ThriftValue => {
  const columns = chunks.map((chunk, at) => columnChunk(chunk, starts[at] as number, indexes(at)))
  return struct(
    [1, list('struct', columns)],
    [2, i64(chunks.reduce((sum, chunk) => sum + chunk.uncompressedBytes, 0))],
    [3, i64(rows)],
    [5, i64(starts[0] as number)],
    [6, i64(chunks.reduce((sum, chunk) => sum + chunkBytes(chunk), 0))],
    [7, ordinal < 32_768 ? i16(ordinal) : null],
  )
}

const columnChunk = (chunk: ColumnChunk, start: number, { column, offset }: IndexPlaces): ThriftValue =>
  struct(
    [2, i64(0)],
    [3, columnMetadata(chunk, start)],
    [4, offset === null ? null : i64(offset.offset)],
    [5, offset === null ? null : i32(offset.length)],
    [6, column === null ? null : i64(column.offset)],
    [7, column === null ? null : i32(column.length)],
  )

const columnMetadata = (chunk: ColumnChunk, start: number): ThriftValue => {
  const { leaf, dictionaryPage, hasPlainPages, entries, uncompressedBytes } = chunk
  const hasDictionary = dictionaryPage.length > 0
  const encodings = [
    ...(hasPlainPages || hasDictionary ? [ENCODING.plain] : []),
    ENCODING.rle,
    ...(hasDictionary ? [ENCODING.rleDictionary] : []),
  ]
  return struct(
    [1, i32(leaf.physical)],
    [2, list('i32', encodings.map(i32))],
    [3, list('binary', leaf.path.map(text))],
    [4, i32(SNAPPY)],
    [5, i64(entries)],
    [6, i64(uncompressedBytes)],
    [7, i64(chunkBytes(chunk))],
    [9, i64(start + dictionaryPage.length)],
    [11, hasDictionary ? i64(start) : null],
    [12, statistics(chunk)],
  )
}

const statistics = (chunk: ColumnChunk): ThriftValue => {
  const { type } = chunk.leaf
  const bounds = chunkBounds(chunk, (one, other) => widest(type, one, other))
  const nulls = chunk.pages.reduce((sum, page) => sum + page.nulls, 0)
  if (bounds === null) return struct([3, i64(nulls)])
  const least = lowerBound(type, bounds.least)
  const most = upperBound(type, bounds.most)
  return struct(
    [3, i64(nulls)],
    [5, binary(most.bytes)],
    [6, binary(least.bytes)],
    [7, bool(most.exact)],
    [8, bool(least.exact)],
  )
}

/** Bounds of each page; `null` where a page with values has none, since the index needs them for all. */
const columnIndex = ({ leaf: { type }, pages }: ColumnChunk): Uint8Array | null => {
  if (pages.some(({ bounds, isEmpty }) => bounds === null && !isEmpty)) return null
  const least = pages.map(({ bounds }) => binary(bounds === null ? NOTHING : lowerBound(type, bounds.least).bytes))
  const most = pages.map(({ bounds }) => binary(bounds === null ? NOTHING : upperBound(type, bounds.most).bytes))
  const isEmpty = pages.map(page => bool(page.isEmpty))
  const nulls = pages.map(page => i64(page.nulls))
  return thriftBytes(
    [1, list('bool', isEmpty)],
    [2, list('binary', least)],
    [3, list('binary', most)],
    [4, i32(UNORDERED)],
    [5, list('i64', nulls)],
  )
}

const offsetIndex = ({ dictionaryPage, pages }: ColumnChunk, start: number): Uint8Array => {
  let at = start + dictionaryPage.length
  const locations = pages.map(page => {
    at += page.byteSize
    return struct([1, i64(at - page.byteSize)], [2, i32(page.byteSize)], [3, i64(page.firstRow)])
  })
  return thriftBytes([1, list('struct', locations)])
}
