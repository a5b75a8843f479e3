import { assertNever, present } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { DurationMs } from '../base/units.ts'
import { typescriptKernels } from '../columnar/typescript/index.ts'
import type { SinkFactory } from '../microbatch/bind-sinks.ts'
import type { KafkaSinkNode, PipelinePlan, SinkNode } from '../pipeline/plan.ts'
import { requireViewTables } from '../pipeline/views.ts'
import { consoleSink } from '../sinks/console/console-sink.ts'
import { foreachBatchSink } from '../sinks/foreach-batch.ts'
import type { MessagePublisher } from '../sinks/message-publisher.ts'
import { outboxSink } from '../sinks/outbox-sink.ts'
import { partitioner } from '../sinks/partition-by.ts'
import type { Sink } from '../sinks/sink.ts'
import { tableSink } from '../sinks/table-sink.ts'
import { viewSink } from '../sinks/view/view-sink.ts'
import type { ViewStore } from '../sinks/view/view-store.ts'
import type { Stores } from './stores.ts'

/** What sinks are made with. */
export interface SinkSurroundings {
  readonly stores: Stores
  readonly random: Random
  /** Makes what sends rows to a topic. */
  readonly publisher: (node: KafkaSinkNode) => MessagePublisher
  /** Where console sinks write. */
  readonly write: (text: string) => void
  /** `json`: one JSON line per batch instead of a table. */
  readonly consoleFormat: 'table' | 'json'
  /** `null` where no Redis is configured; such a pipeline has no views (`checkViews`). */
  readonly views: ViewSurroundings | null
}

/** Where views go. */
export interface ViewSurroundings {
  readonly store: ViewStore
  readonly clock: Clock
  readonly timeoutMs: DurationMs
  readonly warn: (code: string, message: string) => void
}

/**
 * Refuses tables whose folders can't be made from their columns, before anything runs.
 * @throws INVALID_PIPELINE
 */
export const checkSinks = (plan: PipelinePlan): void => {
  requireViewTables(plan)
  for (const { output, sinks } of plan.branches) {
    for (const sink of sinks) if (sink.kind === 'parquet') partitioner(output, sink.partitionBy, typescriptKernels)
  }
}

/** Names of the stores that a plan's tables lie in, beside the one at `root`. */
export const storeNames = ({ branches }: PipelinePlan): readonly string[] =>
  branches.flatMap(({ sinks }) =>
    sinks.flatMap(sink => (sink.kind === 'parquet' && sink.store !== null ? [sink.store] : [])),
  )

/** The sinks that a plan names, over the technologies that this room knows. */
export const sinkFactory = (plan: PipelinePlan, around: SinkSurroundings): SinkFactory => {
  const table = (folder: string, store: string | null = null): Sink =>
    tableSink({
      store: around.stores.named(store),
      random: around.random,
      pipeline: plan.name,
      table: folder,
      description: `parquet ${store === null ? '' : `${store}:`}${folder}`,
    })
  return { table, make: (node, name) => makeSink(node, name, plan, { ...around, table }) }
}

const makeSink = (
  node: SinkNode,
  name: string,
  plan: PipelinePlan,
  around: SinkSurroundings & { readonly table: (folder: string, store: string | null) => Sink },
): Sink => {
  const { write, consoleFormat: format } = around
  switch (node.kind) {
    case 'parquet':
      return around.table(node.table, node.store)
    case 'console':
      return consoleSink({ rows: node.rows, orderBy: node.orderBy, write, name, format })
    case 'foreachBatch':
      return foreachBatchSink({ deliver: node.deliver, pipeline: plan.name })
    case 'redisView': {
      const { stores, random } = around
      const { store: views, ...rest } = present(around.views, 'Redis')
      return viewSink({ node, pipeline: plan.name, store: stores.root, random, views, ...rest })
    }
    case 'kafka':
      return outboxSink({
        store: around.stores.root,
        random: around.random,
        publisher: around.publisher(node),
        columns: node,
        pipeline: plan.name,
        name,
      })
    default:
      return assertNever(node)
  }
}
