import { fieldIndex, type TableSchema, tableSchema } from '../columnar/schema.ts'
import type { AggregationNode, BranchPlan, FormatNode, PipelinePlan, StageNode } from './plan.ts'

/**
 * The same plan without the columns that nothing reads (projection pushdown), so that they are not decoded. A lambda may read any
 * column that it is given, and a table holds all that it is given: what is left out was dropped by a `select`, or is not among
 * what an aggregation groups by and computes.
 *
 * Only where that changes no verdict on a record that the user asked for: `validate: 'row'` judges all columns of the
 * schema, and text is checked to be UTF-8.
 */
export const pruneColumns = (plan: PipelinePlan): PipelinePlan => {
  if (!mayBePruned(plan.format)) return plan
  const { fields } = plan.format.schema
  const needed = new Set(plan.branches.flatMap(branch => neededBy(branch, plan.format.schema)))
  if (fields.every(field => needed.has(field.name))) return plan
  const schema = tableSchema(fields.filter(field => needed.has(field.name)))
  return {
    ...plan,
    format: { ...plan.format, schema },
    branches: plan.branches.map(branch => withInput(branch, plan.format.schema, schema)),
  }
}

const mayBePruned = (format: FormatNode): boolean =>
  format.kind === 'bytes' || (format.kind === 'json' && format.validate === 'fields')

const names = (schema: TableSchema): readonly string[] => schema.fields.map(field => field.name)

/** Columns of the source that a branch reads, found from its end backwards. */
const neededBy = ({ stages, aggregation, output }: BranchPlan, input: TableSchema): readonly string[] => {
  const inputs = [input, ...stages.map(stage => stage.output)]
  let needed = aggregation === null ? names(output) : neededByAggregation(aggregation)
  for (const [at, stage] of [...stages.entries()].toReversed()) {
    const before = inputs[at] as TableSchema
    needed = passesThrough(stage) ? needed.filter(name => fieldIndex(before, name) !== -1) : names(before)
  }
  return needed
}

/** Whether a stage itself reads no value: what it puts out is what it takes in. */
const passesThrough = ({ kind }: StageNode): boolean => kind === 'select' || kind === 'land'

const neededByAggregation = ({ window, keys, aggregates }: AggregationNode): readonly string[] => [
  ...(window === null ? [] : [window.eventTime]),
  ...keys,
  ...aggregates.flatMap(({ column }) => (column === null ? [] : [column])),
]

/** The branch over fewer columns. */
const withInput = (branch: BranchPlan, before: TableSchema, after: TableSchema): BranchPlan => {
  const stages: StageNode[] = []
  let was = before
  let is = after
  for (const stage of branch.stages) {
    const narrowed = narrowStage(stage, was, is)
    stages.push(narrowed)
    was = stage.output
    is = narrowed.output
  }
  const { aggregation } = branch
  return { ...branch, stages, aggregation: aggregation === null ? null : { ...aggregation, input: is } }
}

const narrowStage = (stage: StageNode, was: TableSchema, is: TableSchema): StageNode => {
  if (!passesThrough(stage)) return stage
  // what the stage adds itself (land), and what is still there of what it was given
  const kept = (name: string): boolean => fieldIndex(was, name) === -1 || fieldIndex(is, name) !== -1
  const output = tableSchema(stage.output.fields.filter(field => kept(field.name)))
  return stage.kind === 'select' ? { ...stage, columns: stage.columns.filter(kept), output } : { ...stage, output }
}
