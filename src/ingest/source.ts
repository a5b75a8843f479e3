import type { EpochMs, Offset } from '../base/units.ts'
import type { RecordBatch } from '../columnar/record-batch.ts'
import type { OffsetRange } from './offset-range.ts'

/** What a partition can be read from and to at this moment. */
export interface PartitionBounds {
  readonly topic: string
  readonly partition: number
  /** First offset that still exists. */
  readonly earliest: Offset
  /** One past the last offset that may be read now (last stable offset for read_committed). */
  readonly latest: Offset
}

/**
 * The driver's side of a source: says what there is to read and never reads rows. Called before each plan,
 * so it must be cheap; partitions that appear while running are simply in the next answer.
 */
export interface SourcePlanner {
  /** One line for progress and status: `kafka plays`, `datagen plays`. */
  readonly description: string
  /**
   * Which incarnation of the source this is (a topic's id), so that a topic that was deleted and created anew is
   * not taken for the old one. Stored in the checkpoint. @throws UNKNOWN_TOPIC, BROKER_UNREACHABLE
   */
  identity(): Promise<string>
  /** Where a new pipeline starts, one for each partition, as `startingOffsets` or `startingTimestamp` say. */
  startingOffsets(): Promise<readonly PartitionOffset[]>
  /** The first offset of each partition whose record was written at this time or later, else its end. Kafka only. */
  offsetsAt?(timestamp: EpochMs): Promise<readonly PartitionOffset[]>
  /** Bounds of every partition now. @throws UNKNOWN_TOPIC, TOPIC_RECREATED, BROKER_UNREACHABLE, BROKER_TIMEOUT */
  bounds(): Promise<readonly PartitionBounds[]>
  /** Where the source is told to end (`endingOffsets`), or `null` for a source without end. */
  endingOffsets(): Promise<readonly PartitionOffset[] | null>
  /** Told once, before the first `bounds`, where the pipeline goes on: for sources whose rows appear by the clock. */
  resumed?(offsets: readonly PartitionOffset[]): void
  /**
   * Tells the outside which offsets are committed (mirrors them to a Kafka group), after the commit. A failure
   * here must not stop the stream: it is reported, and the next commit mirrors again.
   */
  committed(offsets: readonly PartitionOffset[]): Promise<void>
  close(): Promise<void>
}

export interface PartitionOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: Offset
}

/**
 * A worker's side of a source: reads exactly the ranges it is told. One reader per worker; it owns its sockets and
 * keeps the next fetch in flight while the caller decodes, within the byte budget it was made with.
 */
export interface SourceReader {
  /**
   * All records of `range` in offset order, nothing before `from`, nothing from `until` on. Ends when the range is
   * exhausted (offset gaps at its end included). Each batch is valid until the next is asked for.
   * @throws DATA_LOST where offsets of the range no longer exist, CORRUPT_RECORD_BATCH, LEADER_CHANGED (retriable),
   *   BROKER_UNREACHABLE, BROKER_TIMEOUT, ABORTED when `signal` is aborted
   */
  read(range: OffsetRange, signal: AbortSignal): AsyncIterable<RecordBatch>
  /**
   * A hint: rows from here on will probably be asked for next; with `until`, those up to there certainly will. May be ignored.
   */
  prefetch(position: PartitionOffset, until?: Offset): void
  /** Bytes that the records read since the reader was made take in the source, compressed as they are. */
  readonly bytesRead: number
  close(): Promise<void>
}
