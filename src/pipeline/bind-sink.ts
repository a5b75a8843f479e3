import { MillraceError } from '../base/errors.ts'
import { fieldIndex } from '../columnar/schema.ts'
import type { Draft } from './draft.ts'
import { type OutputMode, type PartitionBy, type SinkNode, WINDOW_START } from './plan.ts'
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
  }
}

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
