import type * as ParquetWasm from 'parquet-wasm'
import { assert, present } from '../../base/assert.ts'
import { MillraceError } from '../../base/errors.ts'
import type { ColumnBatch } from '../../columnar/column-batch.ts'
import { type Partitioner, type PartitionSlice, partitioner } from '../partition-by.ts'
import { rowSetSize, sliceRows } from '../row-set.ts'
import type { EncodedFile, TableEncoder, TableEncoderFactory, TableEncoderOptions } from '../sink.ts'
import { columnAccumulator } from './accumulators.ts'
import type { ColumnAccumulator } from './column-accumulator.ts'
import { type ParquetWriter, parquetWriter } from './parquet-writer.ts'

/** Rows taken at a time between two looks at the size of a file. */
const ROWS_PER_STEP = 8192
/** Encoded files wait in memory for the end of their task: a table with folders without number is refused. */
const MAX_FILES = 10_000

/** Makes encoders over a module that `load` gives, as often as it is asked. */
export const parquetTableEncoder =
  (load: () => typeof ParquetWasm): TableEncoderFactory =>
  options =>
    new ParquetTableEncoder(load, options)

/** Rows of one folder that are not yet a file. */
interface OpenPartition {
  readonly partition: string
  readonly columns: readonly ColumnAccumulator[]
  byteSize: number
}

/**
 * Keeps the rows of each folder in columns until they are a file: cut at `maxFileBytes`, or early where more folders
 * are open than `maxOpenPartitions` allows. @throws INVALID_SCHEMA where the columns can't make the folders
 */
class ParquetTableEncoder implements TableEncoder {
  private readonly options: TableEncoderOptions
  private readonly partitioner: Partitioner
  private readonly load: () => typeof ParquetWasm
  private readonly open = new Map<string, OpenPartition>()
  private readonly files: EncodedFile[] = []
  private writer: ParquetWriter | null = null

  constructor(load: () => typeof ParquetWasm, options: TableEncoderOptions) {
    this.load = load
    this.options = options
    this.partitioner = partitioner(options.schema, options.partitionBy)
    assert(options.maxOpenPartitions >= 1 && options.maxFileBytes >= 1, 'limits of a table are at least 1')
  }

  write(rows: ColumnBatch): void {
    for (const slice of this.partitioner.split(rows)) this.append(rows, slice)
  }

  finish(): readonly EncodedFile[] {
    for (const partition of this.open.values()) this.finishFile(partition)
    this.open.clear()
    return this.files.toSorted((a, b) => (a.partition < b.partition ? -1 : a.partition > b.partition ? 1 : 0))
  }

  private append(batch: ColumnBatch, { partition, rows }: PartitionSlice): void {
    const open = this.open.get(partition) ?? this.openPartition(partition)
    const count = rowSetSize(rows)
    for (let start = 0; start < count; start += ROWS_PER_STEP) {
      const step = sliceRows(rows, start, Math.min(count, start + ROWS_PER_STEP))
      open.byteSize = 0
      for (const [at, column] of this.partitioner.fileColumns.entries()) {
        const accumulator = present(open.columns[at], 'accumulator')
        accumulator.append(present(batch.columns[column], 'column'), step)
        open.byteSize += accumulator.byteSize
      }
      if (open.byteSize >= this.options.maxFileBytes) this.finishFile(open)
    }
  }

  private openPartition(partition: string): OpenPartition {
    if (this.open.size >= this.options.maxOpenPartitions) this.closeLargest()
    const columns = this.partitioner.fileSchema.fields.map(columnAccumulator)
    const opened = { partition, columns, byteSize: 0 }
    this.open.set(partition, opened)
    return opened
  }

  private closeLargest(): void {
    let largest: OpenPartition | null = null
    for (const open of this.open.values()) if (largest === null || open.byteSize > largest.byteSize) largest = open
    assert(largest !== null, 'a partition is open')
    this.finishFile(largest)
    this.open.delete(largest.partition)
  }

  /** Makes a file of what a partition holds, if anything, and empties it. */
  private finishFile(open: OpenPartition): void {
    const rows = open.columns[0]?.length ?? 0
    if (rows === 0) return
    if (this.files.length >= MAX_FILES) throw tooManyFiles()
    this.writer ??= parquetWriter(this.load(), this.partitioner.fileSchema)
    const bytes = this.writer(open.columns.map(column => column.view()))
    for (const column of open.columns) column.clear()
    open.byteSize = 0
    this.files.push({ partition: open.partition, bytes, rows })
  }
}

const tooManyFiles = (): MillraceError =>
  new MillraceError('ENCODING_FAILED', `one task would write more than ${MAX_FILES} files of a table`, {
    remedy: 'Partition by columns with fewer values, or make batches smaller (maxOffsetsPerTrigger).',
    details: { maxFiles: MAX_FILES },
  })
