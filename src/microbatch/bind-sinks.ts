import { DEAD_LETTERS_FOLDER } from '../pipeline/merge-branches.ts'
import type { PipelinePlan, SinkNode } from '../pipeline/plan.ts'
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
      const name = `${branch.name}/${node.kind === 'parquet' ? node.table : `${node.kind}-${index}`}`
      return { name, branch: at, index, sink: factory.make(node, name) }
    }),
  )
  const deadLetters = `${DEAD_LETTERS_FOLDER}/${plan.name}`
  return [...sinks, { name: deadLetters, branch: null, index: 0, sink: factory.table(deadLetters) }]
}
