import { assertNever } from '../../base/assert.ts'
import { type ColumnBatch, rowCount } from '../../columnar/column-batch.ts'
import type { TableSchema } from '../../columnar/schema.ts'
import type { OnStageError, StageNode } from '../../pipeline/plan.ts'
import type { StageLedger } from '../task.ts'
import { filterStage } from './filter.ts'
import { landStage } from './land.ts'
import { flatMapStage, mapStage } from './map.ts'
import { selectStage } from './select.ts'
import { type RejectedRecords, type StageScope, type StageStep, stageScope, toLedger } from './stage.ts'
import { withColumnStage } from './with-column.ts'

/** The stages of a branch, ready to run on one batch after the other. */
export interface StageChain {
  /** Columns of what `run` gives. */
  readonly output: TableSchema
  /**
   * Runs all stages. What comes in is not changed; what goes out may share its columns.
   * @throws STAGE_FAILED with the row's topic, partition and offset
   */
  run(batch: ColumnBatch): ColumnBatch
  /** Where the rows of all batches so far went, one entry for each stage. */
  ledger(): readonly StageLedger[]
}

export interface StageChainOptions {
  /** Name of the branch, for messages. */
  readonly branch: string
  /**
   * Where records go whose row a stage with `onError: 'deadLetter'` could not process; `null` where there is nowhere
   * (over aggregated rows), which makes such a stage fail.
   */
  readonly rejected: RejectedRecords | null
}

/** Makes a chain for one task (it holds counters and column builders). Also used over finished aggregates. */
export const compileStages = (
  stages: readonly StageNode[],
  input: TableSchema,
  options: StageChainOptions,
): StageChain => {
  const compiled: { readonly scope: StageScope; readonly step: StageStep }[] = []
  let output = input
  for (const node of stages) {
    const where = { stage: stageName(node), branch: options.branch }
    const scope = stageScope(where, onErrorOf(node), options.rejected)
    compiled.push({ scope, step: compileStage(node, output, scope) })
    output = node.output
  }
  return {
    output,
    run(batch) {
      let rows = batch
      for (const { scope, step } of compiled) {
        scope.counters.in += rowCount(rows)
        rows = step(rows)
        scope.counters.out += rowCount(rows)
      }
      return rows
    },
    ledger: () => compiled.map(({ scope }) => toLedger(scope.stage, scope.counters)),
  }
}

const compileStage = (node: StageNode, input: TableSchema, scope: StageScope): StageStep => {
  switch (node.kind) {
    case 'filter':
      return filterStage(node, input, scope)
    case 'withColumn':
      return withColumnStage(node, input, scope)
    case 'map':
      return mapStage(node, input, scope)
    case 'flatMap':
      return flatMapStage(node, input, scope)
    case 'select':
      return selectStage(node, input)
    case 'land':
      return landStage(node, input)
    default:
      return assertNever(node)
  }
}

/** A stage's name in the ledger and in messages. */
const stageName = (node: StageNode): string => (node.kind === 'withColumn' ? `withColumn ${node.name}` : node.kind)

const onErrorOf = (node: StageNode): OnStageError => ('onError' in node ? node.onError : 'fail')
