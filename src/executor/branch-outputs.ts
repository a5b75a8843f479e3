import { present } from '../base/assert.ts'
import type { EpochMs } from '../base/units.ts'
import { type ColumnBatch, rowCount } from '../columnar/column-batch.ts'
import { compact } from '../columnar/gather.ts'
import type { BranchPlan, SinkNode } from '../pipeline/plan.ts'
import type { EncodedFile, TableEncoderFactory } from '../sinks/sink.ts'
import type { AggregationState } from './aggregation-state.ts'
import type { BatchLedger } from './batch-ledger.ts'
import type { TableLimits } from './branch-run.ts'
import { compileStages } from './stages/compile-stages.ts'
import type { TaskResult } from './task.ts'

/** What one sink gets. */
export interface Delivery {
  readonly files: readonly EncodedFile[]
  readonly rows: readonly ColumnBatch[]
}

export interface BranchOutputs {
  /** One for each sink of the branch, in their order. */
  readonly deliveries: readonly Delivery[]
  /** Where the rows of the stages over results went. */
  readonly resultStages: BatchLedger['stages'][number]
}

/** What finished aggregates become files with. */
export interface OutputSurroundings {
  readonly encoder: TableEncoderFactory
  readonly limits: TableLimits
}

/**
 * Puts together what the tasks gave for one branch, in the order of the tasks: folds partial aggregates into the state,
 * closes windows up to `watermark`, and runs the stages over results. Streams and batch jobs alike.
 * @param state `null` for a branch without aggregation
 */
export const branchOutputs = (
  branch: BranchPlan,
  at: number,
  state: AggregationState | null,
  results: readonly TaskResult[],
  watermark: EpochMs,
  around: OutputSurroundings,
): BranchOutputs => {
  if (branch.aggregation === null) return { deliveries: taskDeliveries(branch, at, results), resultStages: [] }
  const open = present(state, `state of branch ${branch.name}`)
  for (const { branches } of results) {
    const partials = branches[at]?.partials ?? null
    if (partials !== null) open.fold(partials)
  }
  const updated = branch.outputMode === 'update' ? open.takeUpdates() : null
  const closed = open.close(watermark)
  const chain = compileStages(branch.resultStages, branch.aggregation.output, { branch: branch.name, rejected: null })
  const rows = chain.run(updated ?? closed)
  return {
    deliveries: branch.sinks.map(sink => deliver(sink, branch, rows, around)),
    resultStages: chain.ledger(),
  }
}

const taskDeliveries = (branch: BranchPlan, at: number, results: readonly TaskResult[]): readonly Delivery[] =>
  branch.sinks.map((_, index) => ({
    files: results.flatMap(result => result.branches[at]?.files[index] ?? []),
    rows: results.flatMap(result => result.branches[at]?.rows[index] ?? []),
  }))

const deliver = (sink: SinkNode, branch: BranchPlan, rows: ColumnBatch, around: OutputSurroundings): Delivery => {
  if (rowCount(rows) === 0) return { files: [], rows: [] }
  if (sink.kind !== 'parquet') return { files: [], rows: [compact(rows)] }
  const { maxOpenPartitions, maxFileBytes } = around.limits
  const encoder = around.encoder({
    schema: branch.output,
    partitionBy: sink.partitionBy,
    maxOpenPartitions,
    maxFileBytes,
  })
  encoder.write(rows)
  return { files: encoder.finish(), rows: [] }
}

/** The ledger of the tasks with the stages over results behind the others. */
export const withResultStages = (ledger: BatchLedger, perBranch: readonly BranchOutputs[]): BatchLedger => ({
  ...ledger,
  stages: perBranch.map(({ resultStages }, at) => [...(ledger.stages[at] ?? []), ...resultStages]),
})
