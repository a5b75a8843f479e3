import { DEAD_LETTERS_FOLDER } from '../pipeline/merge-branches.ts'
import type { ParquetSinkNode, PipelinePlan, SinkNode } from '../pipeline/plan.ts'
import type { Sink } from '../sinks/sink.ts'
import type { BoundSink } from './driver-parts.ts'

/** Makes the sinks that a plan names; technology stays behind it. */
export interface SinkFactory {
  /** `name` is unique in the pipeline and the same in every run. */
  make(node: SinkNode, name: string): Sink
  /** An append-only table in this folder. */
  table(folder: string): Sink
}

/** The sinks of a pipeline in the order of branches, the dead-letter table last. */
export const bindSinks = (plan: PipelinePlan, factory: SinkFactory): readonly BoundSink[] => {
  const sinks = plan.branches.flatMap((branch, at) =>
    branch.sinks.map((node, index): BoundSink => {
      const name = `${branch.name}/${nameOf(node, index)}`
      return { name, branch: at, index, sink: factory.make(node, name) }
    }),
  )
  const deadLetters = `${DEAD_LETTERS_FOLDER}/${plan.name}`
  return [...sinks, { name: deadLetters, branch: null, index: 0, sink: factory.table(deadLetters) }]
}

/** A table in another store is another sink: what was staged in the one can't be published in the other. */
const tableName = ({ store, table }: ParquetSinkNode): string => (store === null ? table : `${store}:${table}`)

/** Sinks that keep something under their name are called after where they write, so that others may come and go. */
const nameOf = (node: SinkNode, index: number): string => {
  switch (node.kind) {
    case 'parquet':
      return tableName(node)
    case 'kafka':
      return `kafka-${node.topic}`
    case 'redisView':
      return `redisView-${node.name}`
    default:
      return `${node.kind}-${index}`
  }
}
