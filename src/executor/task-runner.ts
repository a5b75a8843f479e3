import { aborted } from '../base/abortable.ts'
import { present } from '../base/assert.ts'
import { type DurationMs, durationMs } from '../base/units.ts'
import { type ColumnBatch, rowCount } from '../columnar/column-batch.ts'
import { countDecoder } from '../columnar/count-decoder.ts'
import type { Kernels, RecordDecoder } from '../columnar/kernels.ts'
import type { ObjectSplitReader } from '../ingest/object-split.ts'
import type { SourceReader } from '../ingest/source.ts'
import type { FormatNode, PipelinePlan } from '../pipeline/plan.ts'
import { pruneColumns } from '../pipeline/prune-columns.ts'
import { type DeadLetterCollector, deadLetterCollector } from '../sinks/dead-letters.ts'
import type { TableEncoderFactory } from '../sinks/sink.ts'
import type { SpareBuffers } from '../sinks/spare-buffers.ts'
import { describeTask } from './attempts.ts'
import { type BranchRun, type BranchSurroundings, branchRun, type TableLimits } from './branch-run.ts'
import { checkLedger } from './ledger.ts'
import { offsetRanges, type Task, type TaskResult } from './task.ts'
import { objectInput, recordInput } from './task-input.ts'

/** Runs one task after the other: the whole of a worker, with threads or without. */
export interface TaskRunner {
  /**
   * Reads the task's split, runs every branch's stages over it, and tells the reader what will be wanted next.
   * @throws STAGE_FAILED, what the reader throws, ABORTED when `signal` is aborted
   */
  run(task: Task, signal: AbortSignal): Promise<TaskResult>
  /** Nobody needs any more the files of the tasks so far: their memory serves again. */
  reuse(): void
  /** Closes the reader. */
  close(): Promise<void>
}

export interface TaskRunnerOptions {
  readonly plan: PipelinePlan
  readonly reader: SourceReader
  /** For tasks over landed objects. Default: there are none. */
  readonly objects?: ObjectSplitReader | null
  readonly kernels: Kernels
  readonly encoderFactory: TableEncoderFactory
  /** Where its files take their memory from. Default: fresh memory. */
  readonly buffers?: SpareBuffers
  /** How far ahead of the trigger an event time may move the watermark. Default 1 h. */
  readonly maxFutureMs?: DurationMs
  /**
   * Called after each record batch to let the thread handle its events (`setImmediate`): a source whose rows are there
   * already would otherwise not let it hear of an abort before the task has ended. Default: no pause.
   */
  readonly pause?: () => Promise<void>
  /** Default: 64 partitions, files of 128 MiB in memory. */
  readonly table?: TableLimits
}

const HOUR = durationMs(3_600_000)
const DEFAULT_TABLE_LIMITS: TableLimits = { maxOpenPartitions: 64, maxFileBytes: 128 * 1024 * 1024 }

/** A worker's loop body, over the readers and kernels that it owns. */
export const taskRunner = (options: TaskRunnerOptions): TaskRunner => {
  const { reader } = options
  const pruned = { ...options, plan: pruneColumns(options.plan) }
  return {
    async run(task, signal) {
      const run = taskRun(task, mayBePruned(task) ? pruned : options)
      const bytesBefore = run.input.bytesRead
      try {
        for (const rowsOf of run.input.ranges) {
          for await (const rows of rowsOf(signal)) {
            if (signal.aborted) throw aborted(describeTask(task))
            run.take(rows)
            await options.pause?.()
          }
          run.endRange()
        }
        if (signal.aborted) throw aborted(describeTask(task))
        const result = { ...run.finish(), bytesRead: run.input.bytesRead - bytesBefore }
        checkLedger(result)
        for (const range of offsetRanges(task)) reader.prefetch({ ...range, offset: range.until })
        return result
      } finally {
        run.close()
      }
    },
    reuse: () => options.buffers?.reuse(),
    close: () => reader.close(),
  }
}

/** Rows of landed objects have all their columns, and a job that looks for the rows of its hour may look at any. */
const mayBePruned = ({ split, only }: Task): boolean => 'ranges' in split && only === undefined

/** The state of one attempt at one task. */
const taskRun = (task: Task, options: TaskRunnerOptions) => {
  const { plan, kernels, encoderFactory, reader, objects = null } = options
  const deadLetters = deadLetterCollector(encoderFactory)
  const branches = branchRuns(task, options, deadLetters)
  const { split } = task
  const input =
    'ranges' in split
      ? recordInput(split, reader, recordDecoder(plan.format, kernels), deadLetters)
      : objectInput(split, objects)
  let decoded = 0
  return {
    input,
    take(rows: ColumnBatch): void {
      decoded += rowCount(rows)
      for (const branch of branches) branch.take(rows)
    },
    endRange(): void {
      for (const branch of branches) branch.endRange()
    },
    finish(): Omit<TaskResult, 'bytesRead'> {
      const finished = branches.map(branch => branch.finish())
      const { read, bad } = input.counts
      return {
        index: task.index,
        branches: finished.map(({ result }) => result),
        deadLetters: deadLetters.finish(),
        ledger: { read, decoded, bad: Object.fromEntries(bad), stages: finished.map(({ ledger }) => ledger) },
      }
    },
    close(): void {
      for (const branch of branches) branch.close()
    },
  }
}

const branchRuns = (task: Task, options: TaskRunnerOptions, deadLetters: DeadLetterCollector): readonly BranchRun[] => {
  const { plan, kernels, encoderFactory, maxFutureMs = HOUR, table = DEFAULT_TABLE_LIMITS } = options
  const around: BranchSurroundings = {
    kernels,
    encoderFactory,
    rejected: deadLetters,
    limits: { ...table, maxFutureMs },
  }
  return plan.branches.map((branch, index) => {
    const watermark = present(task.watermarks[index], `watermark of branch ${branch.name}`)
    const wanted = task.only === undefined ? null : { ...task.only, column: task.only.columns[index] ?? null }
    return branchRun(branch, plan.format.schema, { triggeredAt: task.triggeredAt, watermark, wanted }, around)
  })
}

const recordDecoder = (format: FormatNode, kernels: Kernels): RecordDecoder => {
  const { schema, maxRecordBytes } = format
  if (schema.fields.length === 0) return countDecoder({ maxRecordBytes })
  return format.kind === 'json'
    ? kernels.jsonDecoder(schema, { validate: format.validate, maxRecordBytes })
    : kernels.valueDecoder(schema, { maxRecordBytes })
}
