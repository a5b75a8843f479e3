import type { RateController } from '../backpressure/rate-controller.ts'
import type { Clock } from '../base/clock.ts'
import type { DurationMs } from '../base/units.ts'
import type { Checkpoint } from '../checkpoint/checkpoint.ts'
import type { CommitEntry } from '../checkpoint/entries.ts'
import type { Kernels } from '../columnar/kernels.ts'
import type { Executor } from '../executor/task.ts'
import type { SourcePlanner } from '../ingest/source.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { Sink, TableEncoderFactory } from '../sinks/sink.ts'
import type { DriverEvent } from './progress.ts'
import type { RareWarnings } from './rare-warnings.ts'
import type { Trigger } from './triggers.ts'

/** Everything a driver is made of. No technology among it: a simulation composes the very same driver. */
export interface DriverParts {
  readonly plan: PipelinePlan
  readonly source: SourcePlanner
  readonly executor: Executor
  readonly checkpoint: Checkpoint
  /** All sinks of the pipeline in the order of branches and sinks, the dead-letter table last. */
  readonly sinks: readonly BoundSink[]
  readonly rate: RateController
  readonly kernels: Kernels
  readonly encoder: TableEncoderFactory
  readonly clock: Clock
  readonly settings: DriverSettings
  /** Told of every commit once its output is published; returns at once and must not throw. */
  readonly committed?: (entry: CommitEntry) => void
  readonly warnings: RareWarnings
  /** Told of every event as it happens; must not throw. */
  readonly emit: (event: DriverEvent) => void
}

/** A sink with its place in the pipeline. */
export interface BoundSink {
  /** Unique in the pipeline and the same in every run; commits name their receipts by it. */
  readonly name: string
  /** Position of the branch, or `null` for the dead-letter table. */
  readonly branch: number | null
  /** Position within the branch. */
  readonly index: number
  readonly sink: Sink
}

export interface DriverSettings {
  /** Identifies the checkpoint in progress. */
  readonly queryId: string
  /** Identifies this run in progress. */
  readonly runId: string
  readonly trigger: Trigger
  /** Rows are planned for so much time where the trigger has no interval of its own. */
  readonly targetIntervalMs: DurationMs
  /** How often the source is asked for news while nothing waits; under the default trigger the least time between batches. */
  readonly pollIntervalMs: DurationMs
  /** A partition without rows for so long does not hold the watermark back. */
  readonly idleTimeoutMs: DurationMs
  /** How long a topic may end before a committed offset (a new leader catches up) before that counts as lost data. */
  readonly truncationGraceMs: DurationMs
  /** More bad rows than this share of a batch stop the pipeline. */
  readonly maxBadRows: number
  /** End after so many batches; `null` for no end. */
  readonly maxBatches: number | null
  /** Leave the committed offsets and go on from where the source is told to start; state and watermarks stay. */
  readonly resetOffsets: boolean
  readonly maxFileBytes: number
  readonly maxOpenPartitions: number
}
