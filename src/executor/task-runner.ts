import { aborted } from '../base/abortable.ts'
import { assertNever, present } from '../base/assert.ts'
import { type DurationMs, durationMs } from '../base/units.ts'
import type { BadRecord, Kernels, RecordDecoder } from '../columnar/kernels.ts'
import type { RecordBatch } from '../columnar/record-batch.ts'
import type { SourceReader } from '../ingest/source.ts'
import type { FormatNode, PipelinePlan } from '../pipeline/plan.ts'
import { type DeadLetterCollector, deadLetterCollector } from '../sinks/dead-letters.ts'
import type { TableEncoderFactory } from '../sinks/sink.ts'
import { describeTask } from './attempts.ts'
import { type BranchRun, type BranchSurroundings, branchRun, type TableLimits } from './branch-run.ts'
import { checkLedger } from './ledger.ts'
import type { Task, TaskResult } from './task.ts'

/** Runs one task after the other: the whole of a worker, with threads or without. */
export interface TaskRunner {
  /**
   * Reads the task's split, runs every branch's stages over it, and tells the reader what will be wanted next.
   * @throws STAGE_FAILED, what the reader throws, ABORTED when `signal` is aborted
   */
  run(task: Task, signal: AbortSignal): Promise<TaskResult>
  /** Closes the reader. */
  close(): Promise<void>
}

export interface TaskRunnerOptions {
  readonly plan: PipelinePlan
  readonly reader: SourceReader
  readonly kernels: Kernels
  readonly encoderFactory: TableEncoderFactory
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

/** A worker's loop body, over the reader and kernels that it owns. */
export const taskRunner = (options: TaskRunnerOptions): TaskRunner => {
  const { reader } = options
  return {
    async run(task, signal) {
      const bytesBefore = reader.bytesRead
      const run = taskRun(task, options)
      for await (const records of reader.read(task.split, signal)) {
        if (signal.aborted) throw aborted(describeTask(task))
        run.take(records)
        await options.pause?.()
      }
      if (signal.aborted) throw aborted(describeTask(task))
      const result = { ...run.finish(), bytesRead: reader.bytesRead - bytesBefore }
      checkLedger(result)
      const { topic, partition, until } = task.split
      reader.prefetch({ topic, partition, offset: until })
      return result
    },
    close: () => reader.close(),
  }
}

/** The state of one attempt at one task. */
const taskRun = (task: Task, options: TaskRunnerOptions) => {
  const { plan, kernels, encoderFactory } = options
  const decoder = recordDecoder(plan.format, kernels)
  const deadLetters = deadLetterCollector(encoderFactory)
  const branches = branchRuns(task, options, deadLetters)
  const bad = new Map<string, number>()
  let read = 0
  let decoded = 0
  return {
    take(records: RecordBatch): void {
      const batch = decoder.decode(records)
      read += records.count
      decoded += batch.rows.length
      for (const record of batch.bad) {
        bad.set(record.reason, (bad.get(record.reason) ?? 0) + 1)
        deadLetters.add(records, record.record, record.reason, record.column, describeBadRecord(record))
      }
      for (const branch of branches) branch.take(batch.rows)
    },
    finish(): Omit<TaskResult, 'bytesRead'> {
      const finished = branches.map(branch => branch.finish())
      return {
        index: task.index,
        branches: finished.map(({ result }) => result),
        deadLetters: deadLetters.finish(),
        ledger: { read, decoded, bad: Object.fromEntries(bad), stages: finished.map(({ ledger }) => ledger) },
      }
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
    return branchRun(branch, plan.format.schema, { triggeredAt: task.triggeredAt, watermark }, around)
  })
}

const recordDecoder = (format: FormatNode, kernels: Kernels): RecordDecoder => {
  const { schema, maxRecordBytes } = format
  return format.kind === 'json'
    ? kernels.jsonDecoder(schema, { validate: format.validate, maxRecordBytes })
    : kernels.valueDecoder(schema, { maxRecordBytes })
}

/** What was wrong with a record, for the reader of the dead-letter table. */
const describeBadRecord = ({ reason, column }: BadRecord): string => {
  switch (reason) {
    case 'nullValue':
      return 'the record has no value'
    case 'tooLarge':
      return 'the value is larger than maxRecordBytes'
    case 'invalidJson':
      return 'the value is not valid JSON'
    case 'notAnObject':
      return 'the value is JSON, but not an object'
    case 'missingColumn':
      return `the required column ${column} is missing or null`
    case 'wrongType':
      return `the value of column ${column} has another type than the schema says`
    case 'outOfRange':
      return `the value of column ${column} does not fit its type`
    case 'invalidUtf8':
      return 'the value is not valid UTF-8'
    default:
      return assertNever(reason)
  }
}
