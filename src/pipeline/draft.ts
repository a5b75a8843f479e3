import { MillraceError } from '../base/errors.ts'
import { aggregateResultType } from '../columnar/aggregate-types.ts'
import type { AggregateFunction, AggregateSpec } from '../columnar/group-table.ts'
import { type Field, fieldIndex, type TableSchema, tableSchema } from '../columnar/schema.ts'
import { finishSink } from './bind-sink.ts'
import {
  type AggregationNode,
  type AnyRow,
  type BranchPlan,
  type FilterNode,
  type FlatMapNode,
  type FormatNode,
  type LandNode,
  type MapNode,
  type OnStageError,
  type OutputMode,
  type PipelinePlan,
  type SelectNode,
  type SourceNode,
  type StageNode,
  type TumblingWindow,
  WINDOW_END,
  WINDOW_START,
  type WithColumnNode,
} from './plan.ts'
import { parseField } from './schema.ts'
import type { SinkSpec } from './sinks.ts'
import { withOwnTable } from './views.ts'

/** A branch in the making: what a stream has collected so far. Never changed, only copied. */
export interface Draft {
  readonly pipeline: string
  readonly branch: string
  readonly source: SourceNode
  readonly format: FormatNode
  readonly onStageError: OnStageError
  readonly stages: readonly StageNode[]
  readonly aggregation: AggregationNode | null
  readonly resultStages: readonly StageNode[]
  /** `null` until the user says: append over windows and without aggregation, update over all time. */
  readonly outputMode: OutputMode | null
  /** Columns at this point. */
  readonly current: TableSchema
}

const invalid = (message: string, remedy: string): MillraceError =>
  new MillraceError('INVALID_PIPELINE', message, { remedy })

/** The field called `name`. @throws INVALID_PIPELINE naming the columns there are */
export const requireField = (schema: TableSchema, name: string, what: string): Field => {
  const field = schema.fields[fieldIndex(schema, name)]
  if (field !== undefined) return field
  const known = schema.fields.map(each => each.name).join(', ')
  throw invalid(`${what} names the column ${name}, which is not there`, `Use one of: ${known}.`)
}

const requireNewNames = (fields: readonly Field[], what: string): void => {
  const seen = new Set<string>()
  for (const { name } of fields) {
    if (seen.has(name)) throw invalid(`${what} makes two columns named ${name}`, 'Give one of them another name.')
    seen.add(name)
  }
}

/** The draft with one more stage. */
export const addStage = (draft: Draft, stage: StageNode): Draft => {
  const node = Object.freeze(stage)
  return draft.aggregation === null
    ? { ...draft, stages: [...draft.stages, node], current: node.output }
    : { ...draft, resultStages: [...draft.resultStages, node], current: node.output }
}

/** Keeps the rows that the predicate says true of. */
export const filterStage = (draft: Draft, predicate: (row: AnyRow) => boolean): FilterNode => ({
  kind: 'filter',
  onError: draft.onStageError,
  predicate,
  output: draft.current,
})

/** Adds or replaces a column. */
export const withColumnStage = (
  draft: Draft,
  name: string,
  type: string,
  compute: (row: AnyRow) => unknown,
): WithColumnNode => {
  const field = parseField(name, type)
  const at = fieldIndex(draft.current, name)
  const fields = [...draft.current.fields]
  fields.splice(at === -1 ? fields.length : at, at === -1 ? 0 : 1, field)
  return {
    kind: 'withColumn',
    onError: draft.onStageError,
    name,
    type: field.type,
    compute,
    output: tableSchema(fields),
  }
}

/** Makes one row of another schema from each row. */
export const mapStage = (schema: TableSchema, draft: Draft, transform: (row: never) => unknown): MapNode => ({
  kind: 'map',
  onError: draft.onStageError,
  transform: transform as MapNode['transform'],
  output: tableSchema(schema.fields),
})

/** Makes any number of rows of another schema from each row. */
export const flatMapStage = (
  schema: TableSchema,
  draft: Draft,
  transform: (row: AnyRow) => Iterable<AnyRow>,
): FlatMapNode => ({ kind: 'flatMap', onError: draft.onStageError, transform, output: tableSchema(schema.fields) })

/** Keeps the named columns, in that order. @throws INVALID_PIPELINE where one does not exist */
export const selectStage = (draft: Draft, columns: readonly string[]): SelectNode => {
  if (columns.length === 0) throw invalid('select() was given no column', 'Name at least one column.')
  const fields = columns.map(name => requireField(draft.current, name, 'select()'))
  requireNewNames(fields, 'select()')
  return { kind: 'select', columns: [...columns], output: tableSchema(fields) }
}

const LANDED: readonly Field[] = [
  { name: 'topic', type: 'string', nullable: false },
  { name: 'partition', type: 'int32', nullable: false },
  { name: 'offset', type: 'int64', nullable: false },
  { name: 'timestamp', type: 'timestamp', nullable: true },
  { name: 'key', type: 'bytes', nullable: true },
  { name: 'headers', type: 'json', nullable: true },
]

/** Adds the coordinates of each row's record. */
export const landStage = (draft: Draft, prefix: string): LandNode => {
  if (draft.aggregation !== null) {
    throw invalid('land() stands after an aggregation', 'Call it before: a result has no offset of its own.')
  }
  const landed = LANDED.map(field => ({ ...field, name: prefix + field.name }))
  const output = tableSchema([...draft.current.fields, ...landed])
  requireNewNames(output.fields, `land() with the prefix ${JSON.stringify(prefix)}`)
  return { kind: 'land', prefix, output }
}

/** Adds the aggregation. @throws INVALID_PIPELINE */
export const addAggregation = (
  draft: Draft,
  window: TumblingWindow | null,
  keys: readonly string[],
  aggregates: Readonly<Record<string, { readonly fn: AggregateFunction; readonly column: string | null }>>,
): Draft => {
  if (draft.aggregation !== null) {
    throw invalid('a branch aggregates twice', 'Write the first result to a sink and read it in a second pipeline.')
  }
  if (window !== null) requireEventTime(draft.current, window)
  const specs = Object.entries(aggregates).map(([as, { fn, column }]) => aggregateSpec(draft.current, fn, column, as))
  if (specs.length === 0) throw invalid('aggregate() was given no aggregate', 'Name at least one: { rows: count() }.')
  const output = tableSchema([
    ...(window === null ? [] : [WINDOW_START, WINDOW_END].map(windowField)),
    ...keys.map(name => groupField(draft.current, name)),
    ...specs.map(({ as, fn, type }): Field => ({ name: as, type, nullable: fn !== 'count' })),
  ])
  requireNewNames(output.fields, 'aggregate()')
  const aggregation = Object.freeze({ window, keys: [...keys], aggregates: specs, input: draft.current, output })
  return { ...draft, aggregation, current: output }
}

const windowField = (name: string): Field => ({ name, type: 'timestamp', nullable: false })

const requireEventTime = (schema: TableSchema, window: TumblingWindow): void => {
  const field = requireField(schema, window.eventTime, 'window()')
  if (field.type !== 'timestamp') {
    throw invalid(`the event time ${field.name} is a ${field.type} column`, 'Use a column of type timestamp.')
  }
}

const groupField = (schema: TableSchema, name: string): Field => {
  const field = requireField(schema, name, 'groupBy()')
  if (field.type.startsWith('list<')) {
    throw invalid(`groupBy() names the list column ${name}`, 'Group by scalar columns; flatMap the list first.')
  }
  return field
}

const aggregateSpec = (
  schema: TableSchema,
  fn: AggregateFunction,
  column: string | null,
  as: string,
): AggregateSpec => {
  parseField(as, 'int64')
  const input = column === null ? null : requireField(schema, column, `${fn}()`).type
  return Object.freeze({ fn, column, as, type: aggregateResultType(fn, input) })
}

/** Closes a branch into a plan of its own. @throws INVALID_PIPELINE */
export const finishBranch = (draft: Draft, sinks: readonly SinkSpec['node'][]): PipelinePlan => {
  if (sinks.length === 0) throw invalid('to() was given no sink', 'Name at least one: parquet(…) or console().')
  const outputMode =
    draft.outputMode ?? (draft.aggregation !== null && draft.aggregation.window === null ? 'update' : 'append')
  if (outputMode === 'append' && draft.aggregation !== null && draft.aggregation.window === null) {
    throw invalid(
      'output mode append over groups without a window: they are never final',
      "Add a window with a watermark, or use outputMode('update').",
    )
  }
  const branch: BranchPlan = Object.freeze({
    name: draft.branch,
    stages: Object.freeze([...draft.stages]),
    aggregation: draft.aggregation,
    resultStages: Object.freeze([...draft.resultStages]),
    outputMode,
    output: draft.current,
    sinks: Object.freeze(
      sinks.map(sink => finishSink(withOwnTable(sink, sinks, draft.aggregation), draft, outputMode)),
    ),
  })
  const { pipeline: name, source, format } = draft
  return Object.freeze({ kind: 'pipeline', name, source, format, branches: Object.freeze([branch]) })
}
