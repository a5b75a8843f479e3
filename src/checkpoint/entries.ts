import type { JsonValue } from '../base/json.ts'
import type { BatchId, DriverEpoch, EpochMs, Offset } from '../base/units.ts'
import type { OffsetRange } from '../ingest/offset-range.ts'

/**
 * What the two logs of a checkpoint hold: one plan and one commit for each micro-batch. Plain JSON, versioned by
 * the checkpoint's format number.
 */
export interface PlanEntry {
  readonly batchId: BatchId
  /** The driver that wrote it. */
  readonly epoch: DriverEpoch
  readonly nonce: string
  readonly triggeredAt: EpochMs
  /** Splits in the order of their tasks; empty for a no-data batch, which only closes windows. */
  readonly ranges: readonly OffsetRange[]
  /** One for each branch: rows of windows that end at or before it are late, windows that do are closed. */
  readonly watermarks: readonly EpochMs[]
  /** Close all windows at the end of this batch (`--flush`). */
  readonly flush: boolean
}

export interface CommitEntry {
  readonly batchId: BatchId
  readonly epoch: DriverEpoch
  readonly nonce: string
  readonly committedAt: EpochMs
  /** Every partition ever read, with where reading goes on and how far its event time has come. */
  readonly partitions: readonly PartitionProgress[]
  /** One for each branch: the watermark after this batch. */
  readonly watermarks: readonly EpochMs[]
  /** What each sink prepared, in the order of the plan's branches and sinks, then the dead-letter table. */
  readonly receipts: readonly JsonValue[]
  /** One for each branch: where its state lies, `null` for a branch without aggregation. */
  readonly state: readonly (StateManifest | null)[]
  /** What the rate estimator has learned. */
  readonly rate: JsonValue
  /** The batch's row ledger, and the totals since the pipeline began. */
  readonly ledger: JsonValue
}

export interface PartitionProgress {
  readonly topic: string
  readonly partition: number
  /** Next offset to read. */
  readonly offset: Offset
  /** One for each branch: greatest event time seen in this partition, `null` before the first row. */
  readonly maxEventTimes: readonly (EpochMs | null)[]
  /** When rows of this partition were last read; a partition long without rows does not hold the watermark back. */
  readonly lastRowsAt: EpochMs
}

/** A state is its last snapshot and the changes since, in order. */
export interface StateManifest {
  readonly snapshot: StateObject | null
  readonly changes: readonly StateObject[]
}

export interface StateObject {
  readonly key: string
  readonly size: number
  readonly crc32c: string
}

/** What a checkpoint was made for, written once at its creation. */
export interface CheckpointHeader {
  readonly format: number
  readonly pipeline: string
  /** The source's incarnation: a topic's id. */
  readonly sourceIdentity: string
  /** The parts of the plan that state and offsets depend on (`planShape`); a plan that differs here is refused. */
  readonly shape: JsonValue
}
