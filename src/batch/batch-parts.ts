import type { Clock } from '../base/clock.ts'
import type { ErrorCode } from '../base/errors.ts'
import type { TimeRange } from '../base/hours.ts'
import type { Random } from '../base/random.ts'
import type { Kernels } from '../columnar/kernels.ts'
import type { TableSchema } from '../columnar/schema.ts'
import type { TableLimits } from '../executor/branch-run.ts'
import type { OffsetRange } from '../ingest/offset-range.ts'
import type { TableEncoderFactory } from '../sinks/sink.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import type { BatchPlan } from './batch-plan.ts'
import type { BatchSource } from './hour-record.ts'
import type { SplitLimits } from './pack-splits.ts'

/** Everything batch jobs are made of. No technology among it. */
export interface BatchParts {
  readonly batch: BatchPlan
  readonly source: BatchSource
  /** Where the batch tables and their log lie. */
  readonly store: ObjectStore
  /** Where the landed table lies. */
  readonly landedStore: ObjectStore
  /** Offsets whose records carry timestamps of this range, for `--source kafka`; `null` where nobody will ask. */
  readonly recordedWithin: ((range: TimeRange) => Promise<readonly OffsetRange[]>) | null
  readonly kernels: Kernels
  readonly encoder: TableEncoderFactory
  /** A file of a table without rows. */
  readonly emptyFile: (schema: TableSchema) => Uint8Array
  readonly clock: Clock
  readonly random: Random
  readonly settings: BatchSettings
  /** Told of every event as it happens; must not throw. */
  readonly emit: (event: BatchEvent) => void
}

export interface BatchSettings {
  readonly runId: string
  readonly splits: SplitLimits
  /** A task over Kafka reads at most so many offsets. */
  readonly maxSplitRows: number
  readonly limits: TableLimits
  /** More bad rows than this share fail an hour. */
  readonly maxBadRows: number
}

/** What batch jobs tell the world. */
export type BatchEvent =
  | { readonly kind: 'backfillStarted'; readonly pipeline: string; readonly runId: string; readonly hours: number }
  | { readonly kind: 'hourStarted'; readonly hour: string; readonly tasks: number; readonly bytes: number }
  | ({ readonly kind: 'hourDone' } & HourDone)
  | { readonly kind: 'hourFailed'; readonly hour: string; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'hourSkipped'; readonly hour: string; readonly why: string }
  | { readonly kind: 'warning'; readonly code: string; readonly message: string }
  | ({ readonly kind: 'backfillEnded' } & BackfillSummary)

export interface HourDone {
  readonly hour: string
  readonly generation: number
  readonly rowsRead: number
  readonly badRows: number
  readonly tables: readonly { readonly table: string; readonly rows: number; readonly files: number }[]
  readonly durationMs: number
}

/** How many hours ended how. */
export interface BackfillSummary {
  readonly done: number
  readonly failed: number
  readonly skipped: number
}
