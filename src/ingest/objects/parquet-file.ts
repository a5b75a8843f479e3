import { type FileMetaData, parquetMetadata, parquetSchema } from 'hyparquet'
import type * as ParquetWasm from 'parquet-wasm'
import { present } from '../../base/assert.ts'
import type { TimeRange } from '../../base/hours.ts'
import type { Column } from '../../columnar/column.ts'
import { columnBuilder } from '../../columnar/column-builder.ts'
import { takeColumn } from '../../columnar/gather.ts'
import type { Field } from '../../columnar/schema.ts'
import { ColumnReader, fitsType } from './arrow-columns.ts'
import { type IpcBatch, type IpcField, readIpcStream } from './ipc-reader.ts'

/** Rows that are handed on at a time. */
const BATCH_ROWS = 65_536

/** Columns of some rows of a file. */
export interface FileRows {
  readonly length: number
  /** One for each field that was asked for. */
  readonly columns: readonly Column[]
}

/**
 * A Parquet file in memory: the footer is read by hyparquet, columns are decoded by parquet-wasm, a row group at a time.
 * What does not fit is thrown as a TypeError that says why.
 */
export class ParquetFile {
  readonly #wasm: typeof ParquetWasm
  readonly #blob: Blob
  readonly #metadata: FileMetaData
  readonly #names: ReadonlySet<string>

  constructor(wasm: typeof ParquetWasm, bytes: Uint8Array) {
    this.#wasm = wasm
    const own = bytes.slice()
    this.#blob = new Blob([own])
    this.#metadata = parquetMetadata(own.buffer)
    this.#names = new Set(parquetSchema(this.#metadata).children.map(({ element }) => element.name))
  }

  /** Row groups that may hold rows within a range of a timestamp column, by their statistics; all for `null`. */
  rowGroups(within: (TimeRange & { readonly column: string }) | null): readonly number[] {
    return this.#metadata.row_groups.flatMap(({ columns }, at) => {
      if (within === null) return [at]
      const chunk = columns.find(({ meta_data }) => meta_data?.path_in_schema.join('.') === within.column)
      const { min_value: least, max_value: most } = chunk?.meta_data?.statistics ?? {}
      const outside =
        least instanceof Date &&
        most instanceof Date &&
        (most.getTime() + 1 < within.from || least.getTime() - 1 >= within.until)
      return outside ? [] : [at]
    })
  }

  /** Rows of row groups, in pieces. Columns that the file lacks are null where they may be. */
  async *read(rowGroups: readonly number[], fields: readonly Field[]): AsyncIterable<FileRows> {
    const there = fields.filter(field => this.#requireOrNull(field))
    // the synchronous reader does not heed "columns"
    const file = await this.#wasm.ParquetFile.fromFile(this.#blob)
    try {
      for (const rowGroup of rowGroups) {
        const options = { rowGroups: [rowGroup], columns: there.map(field => field.name), batchSize: BATCH_ROWS }
        const { fields: all, batches } = readIpcStream((await file.read(options)).intoIPCStream())
        // the stream may tell of every column; its batches hold those that were asked for, in the file's order
        const found = all.filter(column => there.some(field => field.name === column.name))
        for (const field of there) requireType(found, field)
        for (const batch of batches) if (batch.rows > 0) yield fileRows(batch, found, fields)
      }
    } finally {
      file.free()
    }
  }

  #requireOrNull(field: Field): boolean {
    if (this.#names.has(field.name)) return true
    if (!field.nullable) throw new TypeError(`it has no column ${field.name}`)
    return false
  }
}

const requireType = (found: readonly IpcField[], field: Field): void => {
  const column = found.find(({ name }) => name === field.name)
  if (column === undefined) throw new TypeError(`it has no column ${field.name}`)
  if (!fitsType(column, field.type)) throw new TypeError(`its column ${field.name} is no ${field.type}`)
}

const fileRows = (batch: IpcBatch, found: readonly IpcField[], fields: readonly Field[]): FileRows => {
  const reader = new ColumnReader(batch)
  const read = new Map<string, Column>()
  // in the order of the file: buffers follow each other
  for (const column of found) {
    const field = present(
      fields.find(({ name }) => name === column.name),
      'field of a column',
    )
    read.set(field.name, reader.next(column, field))
  }
  reader.requireEnd()
  const columns = fields.map(field => read.get(field.name) ?? repeated(field, null, batch.rows))
  return { length: batch.rows, columns }
}

/** A column that holds one value in every row. */
export const repeated = (field: Field, value: unknown, length: number): Column => {
  const builder = columnBuilder(field, 1)
  builder.append(value)
  return takeColumn(builder.finish(), new Int32Array(length))
}
