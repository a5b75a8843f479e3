import { assertNever } from '../base/assert.ts'
import { formatDuration } from '../base/duration.ts'
import type { JsonValue } from '../base/json.ts'
import { durationMs } from '../base/units.ts'
import type { Field, TableSchema } from '../columnar/schema.ts'
import type {
  AggregationNode,
  BranchPlan,
  FormatNode,
  PartitionBy,
  PipelinePlan,
  SinkNode,
  SourceNode,
  StageNode,
} from './plan.ts'
import { describeView } from './views.ts'

/** The plan as indented lines for people: what is read, what happens to it, and where it goes. */
export const describePlan = (plan: PipelinePlan): readonly string[] => [
  `pipeline ${plan.name}`,
  `  from ${describeSource(plan.source)}`,
  `  decode ${describeFormat(plan.format)}: ${describeSchema(plan.format.schema)}`,
  ...plan.branches.flatMap(describeBranch),
]

const describeBranch = (branch: BranchPlan): readonly string[] => [
  `  branch ${branch.name}, output mode ${branch.outputMode}`,
  ...branch.stages.map(stage => `    ${describeStage(stage)}`),
  ...(branch.aggregation === null ? [] : describeAggregation(branch.aggregation)),
  ...branch.resultStages.map(stage => `    ${describeStage(stage)}`),
  `    columns ${describeSchema(branch.output)}`,
  ...branch.sinks.map(sink => `    to ${describeSink(sink)}`),
]

const describeField = ({ name, type, nullable }: Field): string => `${name} ${type}${nullable ? '?' : ''}`
const describeSchema = ({ fields }: TableSchema): string => fields.map(describeField).join(', ')

/** One line about a source, for progress and status. */
export const describeSource = (source: SourceNode): string => {
  switch (source.kind) {
    case 'kafka':
      return `kafka ${source.topic} (new pipelines start at ${source.startingPosition.kind}, ${source.isolation})`
    case 'datagen':
      return `datagen (${source.partitions} partitions, ${source.rowsPerSecond} rows/s, seed ${source.seed})`
    default:
      return assertNever(source)
  }
}

const describeFormat = (format: FormatNode): string =>
  format.kind === 'json' ? `json (validate ${format.validate})` : format.kind

const describeStage = (stage: StageNode): string => {
  switch (stage.kind) {
    case 'filter':
    case 'map':
    case 'flatMap':
      return `${stage.kind} (lambda)`
    case 'withColumn':
      return `withColumn ${stage.name} ${stage.type} (lambda)`
    case 'select':
      return `select ${stage.columns.join(', ')}`
    case 'land':
      return `land (topic, partition, offset, timestamp, key, headers${stage.prefix === '' ? '' : ` after ${stage.prefix}`})`
    default:
      return assertNever(stage)
  }
}

const describeAggregation = ({ window, keys, aggregates }: AggregationNode): readonly string[] => {
  const over = aggregates.map(({ as, fn, column }) => `${as} = ${fn}(${column ?? ''})`).join(', ')
  const groups = `    group by ${keys.length === 0 ? 'nothing' : keys.join(', ')}: ${over}`
  if (window === null) return [groups]
  const size = formatDuration(window.sizeMs)
  const delay = formatDuration(durationMs(window.delayMs))
  return [`    window of ${size} over ${window.eventTime}, rows may be ${delay} late`, groups]
}

/** One line about a sink, for progress and status. */
export const describeSink = (sink: SinkNode): string => {
  switch (sink.kind) {
    case 'parquet':
      return `parquet ${sink.store === null ? '' : `${sink.store}:`}${sink.table} (${describePartitions(sink.partitionBy)}, exactly once)`
    case 'console':
      return `console (${sink.rows} rows${sink.orderBy === null ? '' : ` by ${sink.orderBy}`})`
    case 'foreachBatch':
      return 'foreachBatch (at least once)'
    case 'redisView':
      return describeView(sink)
    case 'kafka':
      return `kafka ${sink.topic} (${sink.value ?? 'rows as JSON'}${sink.key === null ? '' : ` by ${sink.key}`}, at least once)`
    default:
      return assertNever(sink)
  }
}

const describePartitions = (by: PartitionBy): string => {
  switch (by.kind) {
    case 'none':
      return 'one folder'
    case 'hour':
      return `date=/hour= of ${by.column}`
    case 'columns':
      return by.columns.map(column => `${column}=`).join('/')
    default:
      return assertNever(by)
  }
}

/** The plan as plain data for machines: everything but the lambdas. */
export const planAsJson = (plan: PipelinePlan): JsonValue =>
  JSON.parse(
    JSON.stringify(plan, (_, value: unknown) => (typeof value === 'function' ? '(lambda)' : value)),
  ) as JsonValue
