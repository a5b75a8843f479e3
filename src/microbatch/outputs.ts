import { present } from '../base/assert.ts'
import { BEFORE_ALL_TIME, type EpochMs } from '../base/units.ts'
import type { PlanEntry } from '../checkpoint/entries.ts'
import { batchBytes } from '../columnar/batch-bytes.ts'
import type { AggregationState } from '../executor/aggregation-state.ts'
import { refuseTooManyBadRows } from '../executor/bad-rows.ts'
import { assertLedgerAddsUp, type BatchLedger, sumLedgers } from '../executor/batch-ledger.ts'
import { type BranchOutputs, branchOutputs, type Delivery, withResultStages } from '../executor/branch-outputs.ts'
import { NO_EVENT_TIMES, offsetRanges, type Task, type TaskResult } from '../executor/task.ts'
import { type OffsetRange, partitionKey } from '../ingest/offset-range.ts'
import type { BranchPlan } from '../pipeline/plan.ts'
import type { SinkOutput } from '../sinks/sink.ts'
import type { BoundSink, DriverParts } from './driver-parts.ts'

/** The parts of a driver that results are put together with. */
export interface OutputParts extends Pick<DriverParts, 'plan' | 'sinks' | 'encoder'> {
  readonly settings: Pick<DriverParts['settings'], 'maxBadRows' | 'maxFileBytes' | 'maxOpenPartitions'>
}

/** What the tasks of a batch amount to, before any sink has heard of it. */
export interface ComputedBatch {
  /** One for each bound sink, in their order. */
  readonly outputs: readonly SinkOutput[]
  readonly ledger: BatchLedger
  readonly bytesRead: number
  /** Bytes of the files and rows that came from the tasks. */
  readonly outputBytes: number
  /** Greatest event time of each partition and branch. */
  readonly maxEventTimes: ReadonlyMap<string, readonly (EpochMs | null)[]>
  /** Rows of each branch that are too far ahead of the clock to say anything of time. */
  readonly rowsAhead: readonly number[]
  /** Ranges that brought a branch no other rows: they hold its watermark back. */
  readonly onlyAhead: readonly OffsetRange[]
  /** Watermark of each branch after the batch. */
  readonly watermarks: readonly EpochMs[]
}

/**
 * Puts the results of a batch's tasks together in the order of the tasks: folds partial aggregates into the state,
 * closes windows, runs the stages over results, and sorts everything by sink.
 * @throws TOO_MANY_BAD_ROWS before anything is prepared
 */
export const computeOutputs = (
  parts: OutputParts,
  states: readonly (AggregationState | null)[],
  plan: PlanEntry,
  tasks: readonly Task[],
  results: readonly TaskResult[],
): ComputedBatch => {
  const taskLedger = sumLedgers(results.map(result => result.ledger))
  refuseTooManyBadRows(taskLedger, parts.settings.maxBadRows)
  const watermarks = plan.watermarks.map((watermark, branch) =>
    closingTime(states[branch] ?? null, watermark, plan.flush),
  )
  const around = { encoder: parts.encoder, limits: parts.settings }
  const perBranch = parts.plan.branches.map((branch, at) =>
    branchOutputs(branch, at, states[at] ?? null, results, watermarks[at] as EpochMs, around),
  )
  const ledger = withResultStages(taskLedger, perBranch)
  assertLedgerAddsUp(ledger)
  const times = timesOf(tasks, results)
  return {
    outputs: parts.sinks.map(bound => ({
      batchId: plan.batchId,
      epoch: plan.epoch,
      watermark: watermarkOf(bound, parts.plan.branches, watermarks),
      ...sinkOutput(bound, perBranch, results),
    })),
    ledger,
    bytesRead: results.reduce((bytes, result) => bytes + result.bytesRead, 0),
    outputBytes: results.reduce((bytes, result) => bytes + heldBytes(result), 0),
    maxEventTimes: new Map(times.map(({ range, branches }) => [partitionKey(range), branches.map(at => at.greatest)])),
    rowsAhead: parts.plan.branches.map((_, branch) =>
      times.reduce((rows, { branches }) => rows + (branches[branch]?.rowsAhead ?? 0), 0),
    ),
    onlyAhead: times
      .filter(({ branches }) => branches.some(({ rowsAhead, greatest }) => rowsAhead > 0 && greatest === null))
      .map(({ range }) => range),
    watermarks,
  }
}

/** A flush closes every window that is open now, and moves the watermark just so far. */
const closingTime = (state: AggregationState | null, watermark: EpochMs, flush: boolean): EpochMs => {
  const last = flush ? (state?.lastWindowEnd() ?? null) : null
  return last !== null && last > watermark ? last : watermark
}

const sinkOutput = (
  bound: BoundSink,
  perBranch: readonly BranchOutputs[],
  results: readonly TaskResult[],
): Delivery => {
  if (bound.branch === null) return { files: results.flatMap(result => result.deadLetters), rows: [] }
  return perBranch[bound.branch]?.deliveries[bound.index] ?? { files: [], rows: [] }
}

/** What a task's result holds for sinks; partial aggregates go into the state instead. */
const heldBytes = ({ branches, deadLetters }: TaskResult): number => {
  const files = [...deadLetters, ...branches.flatMap(branch => branch.files.flat())]
  const rows = branches.flatMap(branch => branch.rows.flat())
  return (
    files.reduce((sum, { bytes }) => sum + bytes.length, 0) + rows.reduce((sum, batch) => sum + batchBytes(batch), 0)
  )
}

const watermarkOf = (
  { branch }: BoundSink,
  branches: readonly BranchPlan[],
  watermarks: readonly EpochMs[],
): EpochMs | null => {
  if (branch === null || (branches[branch]?.aggregation?.window ?? null) === null) return null
  const watermark = watermarks[branch] ?? BEFORE_ALL_TIME
  return watermark === BEFORE_ALL_TIME ? null : watermark
}

/** What each range says of time to each branch. */
const timesOf = (tasks: readonly Task[], results: readonly TaskResult[]) =>
  tasks.flatMap((task, at) => {
    const { branches } = present(results[at], 'result of a task')
    return offsetRanges(task).map((range, within) => ({
      range,
      branches: branches.map(branch => branch.eventTimes[within] ?? NO_EVENT_TIMES),
    }))
  })
