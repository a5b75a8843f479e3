import { assertNever } from '../base/assert.ts'
import type { Random } from '../base/random.ts'
import type { BoundSink } from '../microbatch/driver-parts.ts'
import { DEAD_LETTERS_FOLDER } from '../pipeline/merge-branches.ts'
import type { PipelinePlan, SinkNode } from '../pipeline/plan.ts'
import { consoleSink } from '../sinks/console/console-sink.ts'
import { foreachBatchSink } from '../sinks/foreach-batch.ts'
import { partitioner } from '../sinks/partition-by.ts'
import type { Sink } from '../sinks/sink.ts'
import { tableSink } from '../sinks/table-sink.ts'
import type { ObjectStore } from '../storage/object-store.ts'

/** What sinks are made with. */
export interface SinkSurroundings {
  readonly store: ObjectStore
  readonly random: Random
  /** Where console sinks write. */
  readonly write: (text: string) => void
  /** `json`: one JSON line per batch instead of a table. */
  readonly consoleFormat: 'table' | 'json'
}

/**
 * Refuses tables whose folders can't be made from their columns, before anything runs.
 * @throws INVALID_PIPELINE
 */
export const checkSinks = (plan: PipelinePlan): void => {
  for (const { output, sinks } of plan.branches) {
    for (const sink of sinks) if (sink.kind === 'parquet') partitioner(output, sink.partitionBy)
  }
}

/** The sinks of a pipeline in the order of branches, the dead-letter table last. */
export const bindSinks = (plan: PipelinePlan, around: SinkSurroundings): readonly BoundSink[] => {
  const sinks = plan.branches.flatMap((branch, at) =>
    branch.sinks.map((node, index): BoundSink => {
      const name = `${branch.name}/${node.kind === 'parquet' ? node.table : `${node.kind}-${index}`}`
      return { name, branch: at, index, sink: makeSink(node, plan, name, around) }
    }),
  )
  const table = `${DEAD_LETTERS_FOLDER}/${plan.name}`
  const deadLetters = tableSink({
    store: around.store,
    random: around.random,
    pipeline: plan.name,
    table,
    description: `parquet ${table}`,
  })
  return [...sinks, { name: table, branch: null, index: 0, sink: deadLetters }]
}

const makeSink = (node: SinkNode, plan: PipelinePlan, name: string, around: SinkSurroundings): Sink => {
  const { store, random, write, consoleFormat: format } = around
  switch (node.kind) {
    case 'parquet':
      return tableSink({ store, random, pipeline: plan.name, table: node.table, description: `parquet ${node.table}` })
    case 'console':
      return consoleSink({ rows: node.rows, orderBy: node.orderBy, write, name, format })
    case 'foreachBatch':
      return foreachBatchSink({ deliver: node.deliver, pipeline: plan.name })
    default:
      return assertNever(node)
  }
}
