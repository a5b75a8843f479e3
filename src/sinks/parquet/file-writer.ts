import { present } from '../../base/assert.ts'
import type { Column } from '../../columnar/column.ts'
import type { PageEncoder } from '../../columnar/page-encoder.ts'
import type { TableSchema } from '../../columnar/schema.ts'
import { type RowSet, rowSetSize } from '../row-set.ts'
import { SpareBuffers } from '../spare-buffers.ts'
import { ChunkWriter } from './chunk-writer.ts'
import { type ColumnChunk, chunkBytes } from './column-chunk.ts'
import { footerOf, type RowGroup } from './footer.ts'

/** A row group is closed at about so many bytes before compression, or so many rows: what a reader holds at a time. */
const ROW_GROUP_BYTES = 128 * 1_048_576
const ROW_GROUP_ROWS = 1_048_576

const MAGIC = Uint8Array.of(0x50, 0x41, 0x52, 0x31)
const TRAILER_BYTES = 8

/** What the writers of a thread's files share. */
export interface FileTools {
  readonly pages: PageEncoder
  /** Where files lie when they are finished. */
  readonly buffers: SpareBuffers
}

/** Writes one Parquet file after the other, in memory: rows of any number of batches, then `finish`. */
export class FileWriter {
  readonly #schema: TableSchema
  readonly #columns: readonly ChunkWriter[]
  readonly #buffers: SpareBuffers
  #groups: { readonly rows: number; readonly chunks: readonly ColumnChunk[] }[] = []
  #groupRows = 0
  #closedRows = 0
  #closedBytes = 0
  #openBytes = 0

  constructor(schema: TableSchema, { pages, buffers }: FileTools) {
    this.#schema = schema
    this.#columns = schema.fields.map(field => new ChunkWriter(field, pages))
    this.#buffers = buffers
  }

  /** Rows of the file so far. */
  get rows(): number {
    return this.#closedRows + this.#groupRows
  }

  /** Bytes that the file so far takes in memory: pages in their compressed form, and rows that are not yet a page. */
  get byteSize(): number {
    return this.#closedBytes + this.#openBytes
  }

  /** Takes rows of columns that are those of the schema, in its order. */
  append(columns: readonly Column[], rows: RowSet): void {
    this.#openBytes = 0
    let uncompressed = 0
    for (const [at, writer] of this.#columns.entries()) {
      writer.append(present(columns[at], 'column'), rows)
      this.#openBytes += writer.byteSize
      uncompressed += writer.uncompressedBytes
    }
    this.#groupRows += rowSetSize(rows)
    if (this.#groupRows >= ROW_GROUP_ROWS || uncompressed >= ROW_GROUP_BYTES) this.#closeGroup(ownChunk)
  }

  /** The file; the next one begins. */
  finish(): Uint8Array {
    if (this.#groupRows > 0) this.#closeGroup(chunk => chunk)
    const file = fileOf(this.#schema, this.#groups, this.#buffers)
    this.#groups = []
    this.#closedRows = 0
    this.#closedBytes = 0
    return file
  }

  #closeGroup(keep: (chunk: ColumnChunk) => ColumnChunk): void {
    const chunks = this.#columns.map(writer => keep(writer.finish()))
    this.#groups.push({ rows: this.#groupRows, chunks })
    this.#closedRows += this.#groupRows
    this.#closedBytes += chunks.reduce((sum, chunk) => sum + chunkBytes(chunk), 0)
    this.#groupRows = 0
    this.#openBytes = 0
  }
}

/** The chunk in memory of its own: its writer goes on. */
const ownChunk = (chunk: ColumnChunk): ColumnChunk => ({ ...chunk, contents: chunk.contents.slice() })

/** A file without rows. */
export const emptyFile = (schema: TableSchema): Uint8Array => fileOf(schema, [], new SpareBuffers())

/** A copy into memory that threads share goes by words only where both sides begin at one, and else by single bytes. */
const WORD_BYTES = 8

/**
 * Puts a file together: magic number, chunks, page index, metadata and its length, magic number. The data pages of a chunk
 * begin at a word.
 */
const fileOf = (
  schema: TableSchema,
  groups: readonly Omit<RowGroup, 'starts'>[],
  buffers: SpareBuffers,
): Uint8Array => {
  let end = MAGIC.length
  const placed = groups.map(group => ({
    ...group,
    starts: group.chunks.map(({ dictionaryPage, contents }) => {
      const pagesAt = Math.ceil((end + dictionaryPage.length) / WORD_BYTES) * WORD_BYTES
      end = pagesAt + contents.length
      return pagesAt - dictionaryPage.length
    }),
  }))
  const { pageIndex, metadata } = footerOf(schema, placed, end)
  const trailer = new Uint8Array(TRAILER_BYTES)
  new DataView(trailer.buffer).setUint32(0, metadata.length, true)
  trailer.set(MAGIC, 4)
  const behind = [...pageIndex, metadata, trailer]

  const file = buffers.take(end + behind.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  const put = (part: Uint8Array): void => {
    file.set(part, at)
    at += part.length
  }
  put(MAGIC)
  for (const { chunks, starts } of placed) {
    for (const [column, { dictionaryPage, contents }] of chunks.entries()) {
      const start = starts[column] as number
      file.fill(0, at, start)
      at = start
      put(dictionaryPage)
      put(contents)
    }
  }
  for (const part of behind) put(part)
  return file
}
