import { assert, present } from '../../base/assert.ts'
import { MillraceError } from '../../base/errors.ts'
import type { Column } from '../../columnar/column.ts'
import type { ColumnBatch } from '../../columnar/column-batch.ts'
import { type Partitioner, type PartitionSlice, partitioner } from '../partition-by.ts'
import type { GroupKernels } from '../row-grouping.ts'
import { rowSetSize, sliceRows } from '../row-set.ts'
import type { EncodedFile, TableEncoder, TableEncoderOptions } from '../sink.ts'
import { type FileTools, FileWriter } from './file-writer.ts'

/** Rows taken at a time between two looks at the size of a file. */
const ROWS_PER_STEP = 8192
/** Writers kept for the next task, for the memory in which they gather rows: it would otherwise grow anew each time. */
const MAX_SPARE = 2
/** Encoded files wait in memory for the end of their task: a table with folders without number is refused. */
const MAX_FILES = 10_000

/** Rows of one folder that are not yet a file. */
interface OpenPartition {
  readonly partition: string
  readonly file: FileWriter
}

/**
 * Keeps a file open for each folder: cut at about `maxFileBytes`, or early where more folders are open than
 * `maxOpenPartitions` allows. @throws INVALID_SCHEMA where the columns can't make the folders
 */
export class ParquetTableEncoder implements TableEncoder {
  private readonly options: TableEncoderOptions
  private readonly partitioner: Partitioner
  private readonly tools: FileTools
  private readonly open = new Map<string, OpenPartition>()
  private readonly files: EncodedFile[] = []
  private readonly spare: FileWriter[]

  /** @param spare Writers for files of this table; taken from, and given back to. */
  constructor(kernels: GroupKernels, tools: FileTools, spare: FileWriter[], options: TableEncoderOptions) {
    this.tools = tools
    this.spare = spare
    this.options = options
    this.partitioner = partitioner(options.schema, options.partitionBy, kernels)
    assert(options.maxOpenPartitions >= 1 && options.maxFileBytes >= 1, 'limits of a table are at least 1')
  }

  write(rows: ColumnBatch): void {
    const columns = this.partitioner.fileColumns.map(at => present(rows.columns[at], 'column'))
    for (const slice of this.partitioner.split(rows)) this.append(columns, slice)
  }

  finish(): readonly EncodedFile[] {
    for (const open of this.open.values()) this.close(open)
    return this.files.toSorted((a, b) => (a.partition < b.partition ? -1 : a.partition > b.partition ? 1 : 0))
  }

  private append(columns: readonly Column[], { partition, rows }: PartitionSlice): void {
    const open = this.open.get(partition) ?? this.openPartition(partition)
    const count = rowSetSize(rows)
    for (let start = 0; start < count; start += ROWS_PER_STEP) {
      open.file.append(columns, sliceRows(rows, start, Math.min(count, start + ROWS_PER_STEP)))
      if (open.file.byteSize >= this.options.maxFileBytes) this.finishFile(open)
    }
  }

  private openPartition(partition: string): OpenPartition {
    if (this.open.size >= this.options.maxOpenPartitions) this.closeLargest()
    const file = this.spare.pop() ?? new FileWriter(this.partitioner.fileSchema, this.tools)
    const opened = { partition, file }
    this.open.set(partition, opened)
    return opened
  }

  private closeLargest(): void {
    let largest: OpenPartition | null = null
    for (const open of this.open.values()) {
      if (largest === null || open.file.byteSize > largest.file.byteSize) largest = open
    }
    assert(largest !== null, 'a partition is open')
    this.close(largest)
  }

  private close(open: OpenPartition): void {
    this.finishFile(open)
    this.open.delete(open.partition)
    if (this.spare.length < MAX_SPARE) this.spare.push(open.file)
  }

  /** Makes a file of what a partition holds, if anything, and empties it. */
  private finishFile({ partition, file }: OpenPartition): void {
    const { rows } = file
    if (rows === 0) return
    if (this.files.length >= MAX_FILES) throw tooManyFiles()
    this.files.push({ partition, bytes: file.finish(), rows })
  }
}

const tooManyFiles = (): MillraceError =>
  new MillraceError('ENCODING_FAILED', `one task would write more than ${MAX_FILES} files of a table`, {
    remedy: 'Partition by columns with fewer values, or make batches smaller (maxOffsetsPerTrigger).',
    details: { maxFiles: MAX_FILES },
  })
