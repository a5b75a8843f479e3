import { MillraceError } from '../base/errors.ts'
import { jsonClash } from '../columnar/json-encoder.ts'
import { fieldIndex } from '../columnar/schema.ts'
import type { Draft } from './draft.ts'
import { type KafkaSinkNode, type OutputMode, type PartitionBy, type SinkNode, WINDOW_START } from './plan.ts'
import type { SinkSpec } from './sinks.ts'
import { bindView } from './views.ts'

const invalid = (message: string, remedy: string): MillraceError =>
  new MillraceError('INVALID_PIPELINE', message, { remedy })

/** Binds a sink to the rows that reach it. @throws INVALID_PIPELINE where it can't take them */
export const finishSink = (sink: SinkSpec['node'], draft: Draft, outputMode: OutputMode): SinkNode => {
  switch (sink.kind) {
    case 'parquet':
      if (outputMode === 'update') {
        throw invalid(
          `the table ${sink.table} is append-only and the branch ${draft.branch} puts out updates`,
          "Use outputMode('append') over a window, or a sink that takes updates (redisView, console, foreachBatch).",
        )
      }
      return Object.freeze({ ...sink, partitionBy: bindPartitions(sink.partitionBy, draft, sink.table) })
    case 'console':
      if (sink.orderBy !== null) requireColumn(draft, sink.orderBy, 'console() orders by')
      return sink
    case 'foreachBatch':
      return sink
    case 'redisView':
      return bindView(sink, draft, outputMode)
    case 'kafka':
      checkMessages(sink, draft)
      return sink
  }
}

/** Types whose values are a record's value without further ado. */
const VALUE_TYPES: readonly string[] = ['string', 'bytes', 'json']

const checkMessages = (sink: KafkaSinkNode, draft: Draft): void => {
  const what = `kafkaSink(${sink.topic})`
  if (draft.source.kind === 'kafka' && draft.source.topic === sink.topic && sameBrokers(draft.source, sink)) {
    throw invalid(`the pipeline reads the topic ${sink.topic} and writes it`, 'Write another topic.')
  }
  const key = sink.key === null ? null : requireColumn(draft, sink.key, `${what} takes its key from`)
  if (key?.type.startsWith('list<') === true) {
    throw invalid(`${what}: the column ${key.name} is a list, which makes no key`, 'Use a column of another type.')
  }
  if (sink.value !== null) {
    const value = requireColumn(draft, sink.value, `${what} takes its value from`)
    if (VALUE_TYPES.includes(value.type)) return
    const remedy = `Use a column of type ${VALUE_TYPES.join(', ')}, or leave value out to send whole rows as JSON.`
    throw invalid(`${what}: the column ${value.name} of type ${value.type} makes no value`, remedy)
  }
  const clash = jsonClash(draft.current)
  if (clash === null) return
  throw invalid(
    `${what}: a JSON object can't hold both ${clash[0]} and ${clash[1]}, which lies within it`,
    'Select one of them, or give one another name.',
  )
}

const sameBrokers = (a: { readonly brokers: readonly string[] | null }, b: typeof a): boolean =>
  String(a.brokers) === String(b.brokers)

const requireColumn = (draft: Draft, name: string, what: string) => {
  const field = draft.current.fields[fieldIndex(draft.current, name)]
  if (field === undefined) {
    const known = draft.current.fields.map(each => each.name).join(', ')
    throw invalid(`${what} the column ${name}, which is not there`, `Use one of: ${known}.`)
  }
  return field
}

const bindPartitions = (asked: PartitionBy | 'eventTime', draft: Draft, table: string): PartitionBy => {
  if (asked === 'eventTime') return eventTimePartitions(draft, table)
  if (asked.kind === 'hour' && requireColumn(draft, asked.column, 'hourOf names').type !== 'timestamp') {
    throw invalid(`hourOf names ${asked.column}, which is no timestamp`, 'Use a column of type timestamp.')
  }
  if (asked.kind === 'columns') {
    for (const name of asked.columns) requireColumn(draft, name, 'partitionBy names')
    if (asked.columns.length >= draft.current.fields.length) {
      throw invalid(`the table ${table} would have no column outside its folders`, 'Partition by fewer columns.')
    }
  }
  return asked
}

const eventTimePartitions = (draft: Draft, table: string): PartitionBy => {
  if (fieldIndex(draft.current, WINDOW_START) !== -1) return { kind: 'hour', column: WINDOW_START }
  const landed = new Set(draft.stages.flatMap(stage => (stage.kind === 'land' ? [`${stage.prefix}timestamp`] : [])))
  const candidates = draft.current.fields.filter(field => field.type === 'timestamp' && !landed.has(field.name))
  const [only] = candidates
  if (candidates.length > 1) {
    throw invalid(
      `the table ${table} has several timestamps (${candidates.map(field => field.name).join(', ')}) to choose its folders by`,
      "Say which: parquet(table, { partitionBy: { hourOf: 'event_time' } }).",
    )
  }
  return only === undefined ? { kind: 'none' } : { kind: 'hour', column: only.name }
}
