import { assertNever } from '../base/assert.ts'
import type { JsonValue } from '../base/json.ts'
import type { TableSchema } from '../columnar/schema.ts'
import type { AggregationNode, PipelinePlan, SourceNode } from './plan.ts'

/**
 * The parts of a plan that its checkpoint depends on: offsets belong to a source, state to an aggregation, watermarks
 * to a window. Lambdas, stages, sinks and options may change between two runs; these may not.
 */
export const planShape = (plan: PipelinePlan): JsonValue => ({
  source: sourceShape(plan.source),
  branches: plan.branches.map(branch => ({
    name: branch.name,
    aggregation: branch.aggregation === null ? null : aggregationShape(branch.aggregation),
  })),
})

const sourceShape = (source: SourceNode): JsonValue => {
  switch (source.kind) {
    case 'kafka':
      return { kind: source.kind, topic: source.topic }
    case 'datagen':
      return { kind: source.kind, seed: source.seed, partitions: source.partitions, eventBytes: source.eventBytes }
    default:
      return assertNever(source)
  }
}

const aggregationShape = (aggregation: AggregationNode): JsonValue => ({
  window:
    aggregation.window === null ? null : { sizeMs: aggregation.window.sizeMs, offsetMs: aggregation.window.offsetMs },
  keys: aggregation.keys.map(name => ({ name, type: typeOf(aggregation.input, name) })),
  aggregates: aggregation.aggregates.map(({ fn, column, as, type }) => ({ fn, column, as, type })),
})

const typeOf = (schema: TableSchema, name: string): string =>
  schema.fields.find(field => field.name === name)?.type ?? 'missing'
