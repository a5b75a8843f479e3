import type { TimeRange } from '../base/hours.ts'
import type { BatchId, EpochMs } from '../base/units.ts'
import type { ColumnBatch } from '../columnar/column-batch.ts'
import type { ObjectSplit } from '../ingest/object-split.ts'
import type { OffsetRange } from '../ingest/offset-range.ts'
import type { EncodedFile } from '../sinks/sink.ts'

/** What one task reads: records to decode, or landed rows that are columns already. */
export type Split = RecordSplit | ObjectSplit

/** Records of one partition after the other. */
export interface RecordSplit {
  readonly ranges: readonly OffsetRange[]
}

/** One stage chain over one split, run by one worker; plain data that crosses to a thread. */
export interface Task {
  readonly batchId: BatchId
  /** Results are put together in this order, whoever ran them. */
  readonly index: number
  readonly split: Split
  /** Watermark of each branch as logged in the plan: what is late is judged against it, also on replay. */
  readonly watermarks: readonly EpochMs[]
  /** 'now' as logged in the plan: event times later than this plus the allowed lead don't move the watermark. */
  readonly triggeredAt: EpochMs
  /** Batch jobs: which results are wanted. Left out, all are. */
  readonly only?: WantedHours
}

/** The ranges of offsets that a task reads; none where it reads objects. */
export const offsetRanges = ({ split }: Pick<Task, 'split'>): readonly OffsetRange[] =>
  'ranges' in split ? split.ranges : []

/** The results that a batch job is to give: windows that start within, or rows whose time lies within. */
export interface WantedHours extends TimeRange {
  /** The timestamp column of each branch that a row's hour is told by; `null` where it is the window's start. */
  readonly columns: readonly (string | null)[]
}

/**
 * What a task gives back; buffers in it are transferred, not copied. Those of its files go back to the worker with the next
 * run.
 */
export interface TaskResult {
  readonly index: number
  /** One for each branch of the pipeline, in its order. */
  readonly branches: readonly BranchResult[]
  /** Files of the dead-letter table. */
  readonly deadLetters: readonly EncodedFile[]
  readonly ledger: TaskLedger
  readonly bytesRead: number
}

/** What the rows of one range say of time. */
export interface EventTimes {
  /** The greatest, of late rows too, that is not too far ahead of the clock; `null` where there was none. */
  readonly greatest: EpochMs | null
  /** Rows whose event time is too far ahead of the clock to say anything of time. */
  readonly rowsAhead: number
}

export const NO_EVENT_TIMES: EventTimes = Object.freeze({ greatest: null, rowsAhead: 0 })

export interface BranchResult {
  /** One list for each sink of the branch; empty where the branch aggregates. */
  readonly files: readonly (readonly EncodedFile[])[]
  readonly rows: readonly (readonly ColumnBatch[])[]
  /** Partial aggregates, `null` where the branch does not aggregate or no row came through. */
  readonly partials: ColumnBatch | null
  /** One for each range of the split; only of branches with a window. */
  readonly eventTimes: readonly EventTimes[]
}

/**
 * Where the rows of a task went. `read = decoded + sum(bad)`, and for each stage of each branch
 * `in + expanded = out + sum(dropped)`: it must add up (`checkLedger`).
 */
export interface TaskLedger {
  /** Records read from the source within the range. */
  readonly read: number
  readonly decoded: number
  /** Dead letters by reason. */
  readonly bad: Readonly<Record<string, number>>
  /** One list for each branch, one entry for each stage in its order. */
  readonly stages: readonly (readonly StageLedger[])[]
}

export interface StageLedger {
  readonly stage: string
  readonly in: number
  readonly out: number
  /** Rows added by a flatMap beyond one per input row. */
  readonly expanded: number
  /** Rows that ended here, by reason: `filtered`, `late`, `stageError`, `aggregated` … */
  readonly dropped: Readonly<Record<string, number>>
}

/**
 * Runs tasks, each at most `maxFailures` times, and gives their results in the order of the tasks.
 * The files of a run are there until the next one begins.
 * @throws TASK_FAILED with the last attempt's error as its cause, or that error itself where it can't be retried
 */
export interface Executor {
  run(tasks: readonly Task[], signal: AbortSignal): Promise<readonly TaskResult[]>
  close(): Promise<void>
}
