import type { EpochMs, Offset } from '../base/units.ts'
import type { BatchLedger } from '../executor/batch-ledger.ts'

/**
 * What one micro-batch did, with the field names of Spark's StreamingQueryProgress where Spark has them. Plain JSON.
 * Times are milliseconds, rates rows per second, timestamps ISO 8601 in UTC.
 */
export interface QueryProgress {
  /** Identifies the checkpoint, so it stays the same over restarts. */
  readonly id: string
  /** Identifies this run of the driver. */
  readonly runId: string
  readonly name: string
  /** When the batch was triggered. */
  readonly timestamp: string
  readonly batchId: number
  /** Trigger to commit and publication: total delay. */
  readonly batchDuration: number
  readonly numInputRows: number
  /** Rows of this batch over the time since the last batch was triggered. */
  readonly inputRowsPerSecond: number
  /** Rows of this batch over its processing time. */
  readonly processedRowsPerSecond: number
  readonly durationMs: BatchDurations
  /** `watermark` is the least over the branches with windows; `null` before the first row. */
  readonly eventTime: { readonly watermark: string | null }
  readonly stateOperators: readonly StateOperatorProgress[]
  readonly sources: readonly SourceProgress[]
  readonly sinks: readonly SinkProgress[]
  /** Trigger to start of the batch. */
  readonly schedulingDelay: number
  /** Start to commit. */
  readonly processingDelay: number
  readonly backpressure: BackpressureProgress
  readonly ledger: BatchLedger
}

/** Phases of a batch in their order; Spark's names, with `prepare` and `publish` for the two sides of the commit. */
export interface BatchDurations {
  readonly latestOffset: number
  readonly queryPlanning: number
  readonly walCommit: number
  readonly addBatch: number
  readonly prepare: number
  readonly commitOffsets: number
  readonly publish: number
  readonly triggerExecution: number
}

export interface StateOperatorProgress {
  readonly branch: string
  readonly numRowsTotal: number
  readonly memoryUsedBytes: number
  readonly openWindows: number
  readonly numRowsDroppedByWatermark: number
  /** Rows whose event time lies beyond `watermark.maxFuture`: counted in their windows, without a say in the watermark. */
  readonly numRowsAheadOfClock: number
}

/** Offsets by topic and partition, as Spark writes them. */
export type OffsetsByPartition = Readonly<Record<string, Readonly<Record<string, number>>>>

export interface SourceProgress {
  readonly description: string
  readonly startOffset: OffsetsByPartition
  readonly endOffset: OffsetsByPartition
  readonly latestOffset: OffsetsByPartition
  /** Rows that waited behind `endOffset` when the batch was planned. */
  readonly lagRows: number
  readonly numInputRows: number
  readonly bytesRead: number
}

export interface SinkProgress {
  readonly branch: string
  readonly description: string
  readonly numOutputRows: number
}

export interface BackpressureProgress {
  /** The learned rate; `null` without a limit. */
  readonly rowsPerSecond: number | null
  /** At most so many rows were planned for this batch. */
  readonly maxRows: number
  /** Which bound that was: the rate, a byte cap, `maxOffsetsPerTrigger`, or `none`. */
  readonly boundBy: string
  /** Why the batch got its ranges, a line each. */
  readonly explanation: readonly string[]
}

export interface StartingPosition {
  readonly topic: string
  readonly partition: number
  readonly offset: Offset
  readonly lastRowsAt: EpochMs
}

/** What a driver tells the world while it runs. */
export type DriverEvent =
  | {
      readonly kind: 'started'
      readonly name: string
      readonly epoch: number
      readonly resumedAfter: number | null
      /** Where reading goes on, and when rows were last read there (epoch ms). */
      readonly partitions: readonly StartingPosition[]
    }
  | { readonly kind: 'progress'; readonly progress: QueryProgress }
  /** Something went wrong that the stream survives. */
  | { readonly kind: 'warning'; readonly code: string; readonly message: string }
  /** The pipeline's own hourly job has published an hour of its batch tables. */
  | { readonly kind: 'hourPublished'; readonly hour: string; readonly generation: number; readonly rowsRead: number }
  | { readonly kind: 'terminated'; readonly name: string; readonly batches: number }
