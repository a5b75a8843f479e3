import type { BinaryColumn, Column, ScalarColumn } from '../../columnar/column.ts'
import { GrowingArena } from '../../columnar/growing-arena.ts'
import type { EncodedPage, PageEncoder } from '../../columnar/page-encoder.ts'
import { valueWidth } from '../../columnar/plain-values.ts'
import type { Field } from '../../columnar/schema.ts'
import type { ValueDictionary } from '../../columnar/value-dictionary.ts'
import { type RowSet, rowSetSize, sliceRows } from '../row-set.ts'
import { columnAccumulator } from './accumulators.ts'
import { boundsAt } from './bounds.ts'
import type { ColumnAccumulator } from './column-accumulator.ts'
import type { ColumnChunk, DataPage } from './column-chunk.ts'
import { dictionaryPays, MAX_DICTIONARY_BYTES } from './dictionary-choice.ts'
import { shred } from './levels.ts'
import { ENCODING, type Leaf, leafOf, PAGE } from './parquet-types.ts'
import { i32, struct, thriftBytes } from './thrift.ts'

/** A page is closed at about so many bytes before compression, or at so many rows (parquet-mr's limits). */
const PAGE_BYTES = 1_048_576
const PAGE_ROWS = 20_000
/** So many bytes of texts that lie together become a page where they lie, instead of being gathered with others. */
const PAGE_BY_ITSELF_BYTES = PAGE_BYTES / 4
/** A chunk with more memory does not keep it for the next one: as much as a whole file of the default size. */
const MOST_KEPT_BYTES = 32 * 1_048_576
const NO_PAGE = new Uint8Array(0)

/**
 * Writes the chunks of one column, one after the other: rows are gathered until they are a page, and a page is kept
 * only in its compressed form. A dictionary is begun where the first page says that it pays, and given up when it
 * becomes too large; pages from then on hold plain values.
 */
export class ChunkWriter {
  readonly #leaf: Leaf
  readonly #encoder: PageEncoder
  readonly #rows: ColumnAccumulator
  /** Pages behind their headers; the memory is used again in the next chunk. */
  #contents = new GrowingArena(0)
  #pages: DataPage[] = []
  #dictionary: ValueDictionary | 'undecided' | 'none' = 'undecided'
  /** A dictionary that was given up, whose pages stay. */
  #closed: ValueDictionary | null = null
  #rowsInPages = 0
  #entries = 0
  #uncompressedBytes = 0
  #hasPlainPages = false

  constructor(field: Field, encoder: PageEncoder) {
    this.#leaf = leafOf(field)
    this.#encoder = encoder
    this.#rows = columnAccumulator(field)
  }

  /** Bytes in memory: compressed pages, and rows that are not yet a page. */
  get byteSize(): number {
    return this.#contents.length + this.#rows.byteSize
  }

  /** Bytes of all rows before compression. */
  get uncompressedBytes(): number {
    return this.#uncompressedBytes + this.#rows.byteSize
  }

  append(column: Column, rows: RowSet): void {
    const count = rowSetSize(rows)
    const bytesPerRow = bytesOfRow(column)
    const texts = textsIn(column, rows)
    for (let from = 0; from < count; ) {
      const isPage = texts !== null && (count - from) * bytesPerRow >= PAGE_BY_ITSELF_BYTES
      if (isPage) this.#closePage()
      const room = Math.min(
        PAGE_ROWS - this.#rows.length,
        Math.max(1, Math.floor((PAGE_BYTES - this.#rows.byteSize) / bytesPerRow)),
      )
      const until = Math.min(count, from + room)
      if (isPage) this.#writePage(sliceOf(texts, from, until))
      else this.#gather(column, from === 0 && until === count ? rows : sliceRows(rows, from, until), bytesPerRow)
      from = until
    }
  }

  /** The chunk of the rows since the last one, whose contents are valid until the next rows come. */
  finish(): ColumnChunk {
    this.#closePage()
    const dictionary = this.#closed ?? (typeof this.#dictionary === 'string' ? null : this.#dictionary)
    const { bytes, length } = this.#contents
    const contents = bytes.subarray(0, length)
    const chunk = {
      leaf: this.#leaf,
      dictionaryPage: dictionary === null ? NO_PAGE : this.#dictionaryPage(dictionary),
      contents,
      pages: this.#pages,
      hasPlainPages: this.#hasPlainPages,
      entries: this.#entries,
      uncompressedBytes: this.#uncompressedBytes,
    }
    dictionary?.free()
    if (length > MOST_KEPT_BYTES) this.#contents = new GrowingArena(0)
    else this.#contents.clear()
    this.#pages = []
    this.#dictionary = 'undecided'
    this.#closed = null
    this.#rowsInPages = 0
    this.#entries = 0
    this.#uncompressedBytes = 0
    this.#hasPlainPages = false
    return chunk
  }

  #gather(column: Column, rows: RowSet, bytesPerRow: number): void {
    this.#rows.append(column, rows)
    if (this.#rows.length >= PAGE_ROWS || this.#rows.byteSize + bytesPerRow > PAGE_BYTES) this.#closePage()
  }

  /** Makes a page of the rows that were gathered, if there are any. */
  #closePage(): void {
    if (this.#rows.length === 0) return
    this.#writePage(this.#rows.view())
    this.#rows.clear()
  }

  #writePage(rows: Column): void {
    const { levels, entries, nulls, values: dense } = shred(this.#leaf, rows)
    const values = this.#encoder.bring(dense)
    // nobody asks for the JSON texts between two others
    const extremes = values.kind === 'json' ? null : this.#encoder.extremes(values)
    const bounds = extremes === null ? null : boundsAt(values, extremes)
    const numbers = this.#numbersOf(values)
    const page =
      numbers === null
        ? this.#encoder.plainPage(levels, values)
        : this.#encoder.indexPage(levels, numbers.of, numbers.size)
    if (numbers === null) this.#hasPlainPages = true
    const encoding = numbers === null ? ENCODING.plain : ENCODING.rleDictionary
    const header = this.#header(page, PAGE.data, [
      5,
      struct([1, i32(entries)], [2, i32(encoding)], [3, i32(ENCODING.rle)], [4, i32(ENCODING.rle)]),
    ])
    this.#contents.append(header)
    this.#contents.append(page.bytes)
    const byteSize = header.length + page.bytes.length
    this.#pages.push({ byteSize, firstRow: this.#rowsInPages, nulls, isEmpty: values.length === 0, bounds })
    this.#rowsInPages += rows.length
    this.#entries += entries
  }

  /** Numbers of the values in the dictionary; `null` where they are written as they are. */
  #numbersOf(values: ScalarColumn): { readonly of: Int32Array; readonly size: number } | null {
    if (values.kind === 'bool' || values.length === 0) return null
    if (this.#dictionary === 'undecided') {
      this.#dictionary = dictionaryPays(values) ? this.#encoder.dictionary(values.kind, MAX_DICTIONARY_BYTES) : 'none'
    }
    const dictionary = this.#dictionary
    if (dictionary === 'none') return null
    const of = dictionary.numbersOf(values)
    if (of !== null) return { of, size: dictionary.size }
    this.#closed = dictionary
    this.#dictionary = 'none'
    return null
  }

  #dictionaryPage(dictionary: ValueDictionary): Uint8Array {
    if (dictionary.size === 0) return NO_PAGE
    const page = this.#encoder.plainPage(new Uint8Array(0), dictionary.values())
    const header = this.#header(page, PAGE.dictionary, [7, struct([1, i32(dictionary.size)], [2, i32(ENCODING.plain)])])
    const whole = new GrowingArena(header.length + page.bytes.length)
    whole.append(header)
    whole.append(page.bytes)
    return whole.bytes
  }

  #header(
    { bytes, plainBytes }: EncodedPage,
    type: number,
    details: readonly [number, ReturnType<typeof struct>],
  ): Uint8Array {
    const header = thriftBytes([1, i32(type)], [2, i32(plainBytes)], [3, i32(bytes.length)], details)
    this.#uncompressedBytes += header.length + plainBytes
    return header
  }
}

/** Rows as texts that lie together; `null` where they are something else, or some are null. */
const textsIn = (column: Column, rows: RowSet): BinaryColumn | null =>
  rows.kind === 'range' && 'bytes' in column && column.validity === null ? sliceOf(column, rows.from, rows.until) : null

/** Some of the texts, in the memory where they lie. */
const sliceOf = (texts: BinaryColumn, from: number, until: number): BinaryColumn => ({
  ...texts,
  length: until - from,
  offsets: texts.offsets.subarray(from, until + 1),
})

/** Bytes that a row of a column takes on average; at least one. */
const bytesOfRow = (column: Column): number => {
  if (column.kind === 'list') {
    const elements = (column.offsets[column.length] as number) / Math.max(1, column.length)
    return 4 + elements * bytesOfRow(column.child)
  }
  if (!('bytes' in column)) return Math.max(1, valueWidth(column.kind))
  return 4 + ((column.offsets[column.length] as number) - (column.offsets[0] as number)) / Math.max(1, column.length)
}
