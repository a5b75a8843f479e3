import { present } from '../base/assert.ts'
import { MillraceError } from '../base/errors.ts'
import type { EpochMs } from '../base/units.ts'
import type { PlanEntry } from '../checkpoint/entries.ts'
import type { ColumnBatch } from '../columnar/column-batch.ts'
import { rowCount } from '../columnar/column-batch.ts'
import { compact } from '../columnar/gather.ts'
import { compileStages } from '../executor/stages/compile-stages.ts'
import { STAGE_ERROR } from '../executor/stages/stage.ts'
import type { TaskResult } from '../executor/task.ts'
import { type OffsetRange, partitionKey } from '../ingest/offset-range.ts'
import type { BranchPlan, SinkNode } from '../pipeline/plan.ts'
import type { EncodedFile, SinkOutput } from '../sinks/sink.ts'
import { type AggregationState, stateOf } from './aggregation-state.ts'
import type { BoundSink, DriverParts } from './driver-parts.ts'
import { assertLedgerAddsUp, type BatchLedger, countsTotal, droppedFor, sumLedgers } from './ledger.ts'
import { laterOf } from './plan-batch.ts'

/** What the tasks of a batch amount to, before any sink has heard of it. */
export interface ComputedBatch {
  /** One for each bound sink, in their order. */
  readonly outputs: readonly SinkOutput[]
  readonly ledger: BatchLedger
  readonly bytesRead: number
  /** Greatest event time of each partition and branch. */
  readonly maxEventTimes: ReadonlyMap<string, readonly (EpochMs | null)[]>
  /** Watermark of each branch after the batch. */
  readonly watermarks: readonly EpochMs[]
}

/**
 * Puts the results of a batch's tasks together in the order of the tasks: folds partial aggregates into the state,
 * closes windows, runs the stages over results, and sorts everything by sink.
 * @throws TOO_MANY_BAD_ROWS before anything is prepared
 */
export const computeOutputs = (
  parts: DriverParts,
  states: readonly (AggregationState | null)[],
  plan: PlanEntry,
  results: readonly TaskResult[],
): ComputedBatch => {
  const taskLedger = sumLedgers(results.map(result => result.ledger))
  refuseTooManyBadRows(taskLedger, parts.settings.maxBadRows)
  const watermarks = plan.watermarks.map((watermark, branch) =>
    closingTime(states[branch] ?? null, watermark, plan.flush),
  )
  const perBranch = parts.plan.branches.map((branch, at) =>
    branchOutputs(parts, branch, at, states, results, watermarks[at] as EpochMs),
  )
  const ledger = withResultStages(taskLedger, perBranch)
  assertLedgerAddsUp(ledger)
  return {
    outputs: parts.sinks.map(bound => ({
      batchId: plan.batchId,
      epoch: plan.epoch,
      ...sinkOutput(bound, perBranch, results),
    })),
    ledger,
    bytesRead: results.reduce((bytes, result) => bytes + result.bytesRead, 0),
    maxEventTimes: eventTimes(plan.ranges, results),
    watermarks,
  }
}

/** A flush closes every window that is open now, and moves the watermark just so far. */
const closingTime = (state: AggregationState | null, watermark: EpochMs, flush: boolean): EpochMs => {
  const last = flush ? (state?.lastWindowEnd() ?? null) : null
  return last !== null && last > watermark ? last : watermark
}

interface Delivery {
  readonly files: readonly EncodedFile[]
  readonly rows: readonly ColumnBatch[]
}

interface BranchOutputs {
  readonly deliveries: readonly Delivery[]
  readonly resultStages: BatchLedger['stages'][number]
}

const branchOutputs = (
  parts: DriverParts,
  branch: BranchPlan,
  at: number,
  states: readonly (AggregationState | null)[],
  results: readonly TaskResult[],
  watermark: EpochMs,
): BranchOutputs => {
  if (branch.aggregation === null) return { deliveries: taskDeliveries(branch, at, results), resultStages: [] }
  const state = stateOf(states, at)
  for (const { branches } of results) {
    const partials = branches[at]?.partials ?? null
    if (partials !== null) state.fold(partials)
  }
  const updated = branch.outputMode === 'update' ? state.takeUpdates() : null
  const closed = state.close(watermark)
  const chain = compileStages(branch.resultStages, branch.aggregation.output, { branch: branch.name, rejected: null })
  const rows = chain.run(updated ?? closed)
  return {
    deliveries: branch.sinks.map(sink => deliver(parts, sink, branch, rows)),
    resultStages: chain.ledger(),
  }
}

const taskDeliveries = (branch: BranchPlan, at: number, results: readonly TaskResult[]): readonly Delivery[] =>
  branch.sinks.map((_, index) => ({
    files: results.flatMap(result => result.branches[at]?.files[index] ?? []),
    rows: results.flatMap(result => result.branches[at]?.rows[index] ?? []),
  }))

const deliver = (parts: DriverParts, sink: SinkNode, branch: BranchPlan, rows: ColumnBatch): Delivery => {
  if (rowCount(rows) === 0) return { files: [], rows: [] }
  if (sink.kind !== 'parquet') return { files: [], rows: [compact(rows)] }
  const { maxFileBytes, maxOpenPartitions } = parts.settings
  const encoder = parts.encoder({
    schema: branch.output,
    partitionBy: sink.partitionBy,
    maxOpenPartitions,
    maxFileBytes,
  })
  encoder.write(rows)
  return { files: encoder.finish(), rows: [] }
}

const sinkOutput = (
  bound: BoundSink,
  perBranch: readonly BranchOutputs[],
  results: readonly TaskResult[],
): Delivery => {
  if (bound.branch === null) return { files: results.flatMap(result => result.deadLetters), rows: [] }
  return perBranch[bound.branch]?.deliveries[bound.index] ?? { files: [], rows: [] }
}

const withResultStages = (ledger: BatchLedger, perBranch: readonly BranchOutputs[]): BatchLedger => ({
  ...ledger,
  stages: perBranch.map(({ resultStages }, at) => [...(ledger.stages[at] ?? []), ...resultStages]),
})

const eventTimes = (
  ranges: readonly OffsetRange[],
  results: readonly TaskResult[],
): ReadonlyMap<string, readonly (EpochMs | null)[]> => {
  const greatest = new Map<string, readonly (EpochMs | null)[]>()
  for (const { index, branches } of results) {
    const key = partitionKey(present(ranges[index], 'split'))
    const before = greatest.get(key) ?? []
    greatest.set(
      key,
      branches.map((branch, at) => laterOf(before[at] ?? null, branch.maxEventTime)),
    )
  }
  return greatest
}

/** Few rows say little about a share: below so many, the share is taken of this number. */
const LEAST_ROWS_FOR_SHARE = 1000

const refuseTooManyBadRows = (ledger: BatchLedger, maxBadRows: number): void => {
  const bad = countsTotal(ledger.bad) + droppedFor(ledger, STAGE_ERROR)
  const allowed = Math.floor(maxBadRows * Math.max(ledger.read, LEAST_ROWS_FOR_SHARE))
  if (bad <= allowed) return
  const stageErrors = droppedFor(ledger, STAGE_ERROR)
  const reasons = Object.entries({ ...ledger.bad, ...(stageErrors > 0 && { [STAGE_ERROR]: stageErrors }) }).map(
    ([reason, rows]) => `${rows} ${reason}`,
  )
  throw new MillraceError('TOO_MANY_BAD_ROWS', `${bad} of ${ledger.read} rows are bad (${reasons.join(', ')})`, {
    remedy:
      'Nothing of this batch was committed. Correct the schema or the producer, ' +
      'or raise maxBadRows to let such rows go to the dead letters.',
    details: { bad, read: ledger.read, allowed },
  })
}
