import type * as ParquetWasm from 'parquet-wasm'
import { present } from '../../base/assert.ts'
import { MillraceError } from '../../base/errors.ts'
import type { ColumnBatch } from '../../columnar/column-batch.ts'
import { type Field, fieldIndex, type TableSchema } from '../../columnar/schema.ts'
import type { PartitionBy } from '../../pipeline/plan.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import type { ObjectSplit, ObjectSplitReader, SplitObject } from '../object-split.ts'
import { folderValue } from './folder-values.ts'
import { type FileRows, ParquetFile, repeated } from './parquet-file.ts'
import { type Coordinates, originOf, rowsByPartition } from './row-origins.ts'

/** What a reader of a landed table is made with. */
export interface ObjectSplitReaderOptions {
  readonly store: ObjectStore
  /** Rows of other topics are left out. */
  readonly topic: string
  /** The source's columns. */
  readonly schema: TableSchema
  /** What the names of the coordinates begin with. */
  readonly prefix: string
  readonly partitionBy: PartitionBy
  /** Whether timestamps, keys and headers are asked for as well: where a stage lands rows again. */
  readonly wholeRecords: boolean
}

/** Reads landed Parquet files; loads parquet-wasm. */
export const loadObjectSplitReader = async (options: ObjectSplitReaderOptions): Promise<ObjectSplitReader> =>
  new LandedReader(await import('parquet-wasm'), options)

const POSITION = ['topic', 'partition', 'offset'] as const
const RECORD = ['timestamp', 'key', 'headers'] as const
const COORDINATE_TYPES: Readonly<Record<string, Pick<Field, 'type' | 'nullable'>>> = {
  topic: { type: 'string', nullable: false },
  partition: { type: 'int32', nullable: false },
  offset: { type: 'int64', nullable: false },
  timestamp: { type: 'timestamp', nullable: true },
  key: { type: 'bytes', nullable: true },
  headers: { type: 'json', nullable: true },
}

class LandedReader implements ObjectSplitReader {
  bytesRead = 0
  readonly #wasm: typeof ParquetWasm
  readonly #options: ObjectSplitReaderOptions
  /** The source's columns, then the coordinates. */
  readonly #fields: readonly Field[]
  readonly #inFiles: readonly Field[]

  constructor(wasm: typeof ParquetWasm, options: ObjectSplitReaderOptions) {
    this.#wasm = wasm
    this.#options = options
    const names = options.wholeRecords ? [...POSITION, ...RECORD] : POSITION
    const coordinates = names.map(name => ({
      name: options.prefix + name,
      ...present(COORDINATE_TYPES[name], 'coordinate'),
    }))
    this.#fields = [...options.schema.fields, ...coordinates]
    const folders = options.partitionBy.kind === 'columns' ? options.partitionBy.columns : []
    this.#inFiles = this.#fields.filter(({ name }) => !folders.includes(name))
  }

  async *read({ objects, within }: ObjectSplit, signal: AbortSignal): AsyncIterable<ColumnBatch> {
    for (const object of objects) {
      if (signal.aborted) return
      const bytes = await this.#options.store.get(object.key)
      if (bytes === null) throw missing(object, this.#options.store.location)
      this.bytesRead += bytes.length
      for await (const rows of this.#rowsOf(object, bytes, within)) yield* this.#batches(object, rows)
    }
  }

  async *#rowsOf(object: SplitObject, bytes: Uint8Array, within: ObjectSplit['within']): AsyncIterable<FileRows> {
    try {
      if (bytes.length !== object.size) throw new TypeError(`it has ${bytes.length} bytes, not ${object.size}`)
      const file = new ParquetFile(this.#wasm, bytes)
      yield* file.read(file.rowGroups(within), this.#inFiles)
    } catch (error) {
      throw damaged(object, this.#options.store.location, error)
    }
  }

  *#batches(object: SplitObject, { length, columns }: FileRows): Iterable<ColumnBatch> {
    const { schema, topic, wholeRecords, prefix } = this.#options
    const all = this.#fields.map(field => {
      const at = this.#inFiles.indexOf(field)
      return at === -1 ? repeated(field, this.#folderValue(object, field), length) : present(columns[at], field.name)
    })
    const column = (name: string) => present(all[fieldIndex({ fields: this.#fields }, prefix + name)], name)
    const coordinates: Coordinates = {
      topic: column('topic'),
      partition: column('partition'),
      offset: column('offset'),
      timestamp: wholeRecords ? column('timestamp') : null,
      key: wholeRecords ? column('key') : null,
      headers: wholeRecords ? column('headers') : null,
    }
    for (const { partition, selection } of rowsByPartition(coordinates, topic)) {
      const origin = originOf(coordinates, topic, partition)
      yield { schema, columns: all.slice(0, schema.fields.length), length, selection, origin }
    }
  }

  #folderValue(object: SplitObject, field: Field): unknown {
    try {
      return folderValue(object.key, field)
    } catch (error) {
      throw damaged(object, this.#options.store.location, error)
    }
  }
}

const missing = ({ key }: SplitObject, location: string): MillraceError =>
  new MillraceError('LANDED_FILE_MISSING', `the landed file ${key} is not in ${location} any more`, {
    remedy: 'Restore it from a backup, or compute the hour from Kafka: --source kafka.',
    details: { key },
  })

const damaged = ({ key }: SplitObject, location: string, cause: unknown): MillraceError => {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new MillraceError('LANDED_FILE_DAMAGED', `the landed file ${key} in ${location} can't be read: ${reason}`, {
    remedy: 'Restore it from a backup, or compute the hour from Kafka: --source kafka.',
    cause,
    details: { key },
  })
}
