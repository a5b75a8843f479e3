import type { JsonValue } from '../base/json.ts'
import type { BatchId, DriverEpoch, EpochMs } from '../base/units.ts'
import type { ColumnBatch } from '../columnar/column-batch.ts'
import type { TableSchema } from '../columnar/schema.ts'
import type { PartitionBy } from '../pipeline/plan.ts'

/**
 * The driver's side of a sink. `prepare` is called once per micro-batch before the commit and must leave nothing that a
 * reader can see; `publish` is called after the commit, and again with the same receipt when a crash came between,
 * so it must be repeatable. A sink without transactions delivers in `prepare` and is at-least-once.
 */
export interface Sink {
  /** One line for progress and plans: `parquet trending`. */
  readonly description: string
  readonly delivery: 'exactlyOnce' | 'atLeastOnce'
  /** Takes a batch's output invisibly. What it answers is plain data and goes into the commit entry. */
  prepare(output: SinkOutput): Promise<JsonValue>
  publish(receipt: JsonValue): Promise<void>
  /** Drops what an own `prepare` made and no commit lists (a commit of another driver was adopted). */
  discard(receipt: JsonValue): Promise<void>
  /**
   * Drops what crashed drivers prepared for batches up to `committed` and no commit lists. Called after that batch was
   * published. What is prepared for later batches stays: a paused driver may still commit it.
   */
  clearUp(committed: BatchId): Promise<void>
  /**
   * Told at start, and after another driver's commit was adopted, what the newest commit says of this sink (`null` where
   * it says nothing) and who publishes, before anything is published or prepared. For sinks whose batches build on one
   * another.
   */
  resume?(receipt: JsonValue | null, driver: SinkDriver): void
  /** Ends what goes on beside the stream. Called once, after the last batch. */
  close?(): Promise<void>
}

/** The driver that publishes. */
export interface SinkDriver {
  readonly epoch: DriverEpoch
  /** Looks in the store. @throws FENCED where another driver has taken over */
  requireOwnership(): Promise<void>
}

/** What one micro-batch gives to one sink. Either files (encoded where the rows were) or rows. */
export interface SinkOutput {
  readonly batchId: BatchId
  readonly epoch: DriverEpoch
  readonly files: readonly EncodedFile[]
  readonly rows: readonly ColumnBatch[]
  /** Watermark of the branch after the batch; `null` where it has none. */
  readonly watermark: EpochMs | null
}

/** A finished file of a table, encoded by a worker: the only form in which bulk rows cross threads. */
export interface EncodedFile {
  /** Folder within the table: `date=2026-01-15/hour=10`, or ''. */
  readonly partition: string
  /** Valid until the executor's next run: memory that is shared with a worker is filled again then. */
  readonly bytes: Uint8Array
  readonly rows: number
}

/** A worker's side of a file sink: turns column batches into finished files, one row order per partition. */
export interface TableEncoder {
  /** Copies what it needs of the rows (their selection, if they have one). */
  write(rows: ColumnBatch): void
  /** All files of the task, in order of partition. The encoder is done afterwards. */
  finish(): readonly EncodedFile[]
}

export interface TableEncoderOptions {
  readonly schema: TableSchema
  readonly partitionBy: PartitionBy
  /** At most so many partitions are kept open at once; beyond that the largest is finished early. */
  readonly maxOpenPartitions: number
  /** A file is cut at about so many bytes; what is not yet encoded counts as it is. */
  readonly maxFileBytes: number
}

/** Makes encoders; handed to workers by wiring, which knows the file format's technology. */
export type TableEncoderFactory = (options: TableEncoderOptions) => TableEncoder
