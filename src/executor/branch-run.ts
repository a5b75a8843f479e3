import { assertNever, present } from '../base/assert.ts'
import type { TimeRange } from '../base/hours.ts'
import { type EpochMs, epochMs } from '../base/units.ts'
import { type ColumnBatch, rowCount } from '../columnar/column-batch.ts'
import type { Kernels } from '../columnar/kernels.ts'
import { ownRows } from '../columnar/own-rows.ts'
import type { TableSchema } from '../columnar/schema.ts'
import type { BranchPlan, SinkNode } from '../pipeline/plan.ts'
import type { EncodedFile, TableEncoderFactory } from '../sinks/sink.ts'
import { nameableRows } from './nameable-rows.ts'
import { partialAggregation } from './partial-aggregation.ts'
import { shownRows } from './shown-rows.ts'
import { compileStages, type StageChain } from './stages/compile-stages.ts'
import type { RejectedRecords } from './stages/stage.ts'
import type { BranchResult, EventTimes, StageLedger, Task } from './task.ts'
import { wantedRows } from './wanted-rows.ts'

/** One branch of a pipeline within one task: takes decoded batches, gives the branch's part of the task's result. */
export interface BranchRun {
  take(decoded: ColumnBatch): void
  /** A range of the split has ended. */
  endRange(): void
  finish(): { readonly result: BranchResult; readonly ledger: readonly StageLedger[] }
  /** Called at the end of every attempt, also of one that failed. */
  close(): void
}

/** What the branches of a task share. */
export interface BranchSurroundings {
  readonly kernels: Kernels
  readonly encoderFactory: TableEncoderFactory
  readonly rejected: RejectedRecords
  readonly limits: TableLimits & { readonly maxFutureMs: number }
}

/** Limits on the files that a task keeps open; see `TableEncoderOptions`. */
export interface TableLimits {
  readonly maxOpenPartitions: number
  readonly maxFileBytes: number
}

/** What a branch needs to know of its task. */
export interface BranchTask extends Pick<Task, 'triggeredAt'> {
  /** Watermark of the branch. */
  readonly watermark: EpochMs
  /** Batch jobs: the results that are wanted, by the time in `column` or (`null`) by the start of the window. */
  readonly wanted: (TimeRange & { readonly column: string | null }) | null
}

/** One attempt of a task at one branch: stages, then partial aggregates, files or rows. */
export const branchRun = (
  plan: BranchPlan,
  input: TableSchema,
  task: BranchTask,
  around: BranchSurroundings,
): BranchRun => {
  const chain = compileStages(plan.stages, input, { branch: plan.name, rejected: around.rejected })
  return plan.aggregation === null ? landingRun(plan, chain, task, around) : aggregatingRun(plan, chain, task, around)
}

const aggregatingRun = (
  plan: BranchPlan,
  chain: StageChain,
  task: BranchTask,
  { kernels, limits }: BranchSurroundings,
): BranchRun => {
  const aggregation = partialAggregation(kernels, present(plan.aggregation, 'aggregation'), {
    watermark: task.watermark,
    maxEventTime: epochMs(task.triggeredAt + limits.maxFutureMs),
    wanted: task.wanted,
  })
  const eventTimes: EventTimes[] = []
  return {
    take: decoded => aggregation.add(chain.run(decoded)),
    endRange: () => void eventTimes.push(aggregation.takeEventTimes()),
    finish: () => ({
      result: { files: [], rows: [], partials: aggregation.partials(), eventTimes },
      ledger: [...chain.ledger(), ...aggregation.ledger()],
    }),
    close: () => aggregation.close(),
  }
}

const landingRun = (plan: BranchPlan, chain: StageChain, task: BranchTask, around: BranchSurroundings): BranchRun => {
  const hours = wantedRows(plan.output, task.wanted)
  const nameable = nameableRows(plan, around.rejected)
  const outputs = plan.sinks.map(sink => sinkOutput(sink, plan.output, around))
  return {
    take(decoded) {
      const rows = nameable.keep(hours.keep(chain.run(decoded)))
      if (rowCount(rows) > 0) for (const output of outputs) output.take(rows)
    },
    endRange: () => undefined,
    finish: () => {
      const taken = outputs.map(output => output.finish())
      const files = taken.map(output => output.files)
      const rows = taken.map(output => output.rows)
      return {
        result: { files, rows, partials: null, eventTimes: [] },
        ledger: [...chain.ledger(), ...hours.ledger(), ...nameable.ledger()],
      }
    },
    close: () => undefined,
  }
}

interface SinkOutputRun {
  take(rows: ColumnBatch): void
  finish(): { readonly files: readonly EncodedFile[]; readonly rows: readonly ColumnBatch[] }
}

const sinkOutput = (sink: SinkNode, schema: TableSchema, around: BranchSurroundings): SinkOutputRun => {
  switch (sink.kind) {
    case 'parquet': {
      const { maxOpenPartitions, maxFileBytes } = around.limits
      const encoder = around.encoderFactory({ schema, partitionBy: sink.partitionBy, maxOpenPartitions, maxFileBytes })
      return { take: rows => encoder.write(rows), finish: () => ({ files: encoder.finish(), rows: [] }) }
    }
    case 'console':
      return rowOutput(shownRows(sink, schema))
    case 'foreachBatch':
    case 'redisView':
    case 'kafka':
      return rowOutput(rows => rows)
    default:
      return assertNever(sink)
  }
}

/** Collects dense batches of their own: what decoders and sources hand out is theirs again with the next batch. */
const rowOutput = (narrow: (rows: ColumnBatch) => ColumnBatch): SinkOutputRun => {
  const kept: ColumnBatch[] = []
  return {
    take(batch) {
      const rows = narrow(batch)
      if (rowCount(rows) > 0) kept.push(ownRows(rows))
    },
    finish: () => ({ files: [], rows: kept }),
  }
}
