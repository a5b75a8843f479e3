import { present } from '../../base/assert.ts'
import { textTable } from '../../base/text-table.ts'
import { rowCount } from '../../columnar/column-batch.ts'
import type { ColumnType, TableSchema } from '../../columnar/schema.ts'
import type { Sink, SinkOutput } from '../sink.ts'
import { cellJson, cellText, jsonString } from './cell-text.ts'
import { type RowPlace, topRows } from './top-rows.ts'

/** What a console sink is made with. */
export interface ConsoleSinkOptions {
  /** At most so many rows of a batch are shown. */
  readonly rows: number
  /** Column to sort by, greatest first; `null` for the order of arrival. */
  readonly orderBy: string | null
  readonly write: (text: string) => void
  /** Name of the sink, in the heading of each batch. */
  readonly name: string
  /** `table` for people (default); `json` writes one line of JSON per batch. */
  readonly format?: 'table' | 'json'
}

/**
 * Shows rows in a terminal. Not transactional: a batch is shown before it is committed, and again when it is repeated.
 * Batches without rows are not shown.
 */
export const consoleSink = (options: ConsoleSinkOptions): Sink => {
  const format = options.format === 'json' ? jsonLine : framedTable
  return {
    description: `console ${options.name}`,
    delivery: 'atLeastOnce',
    prepare: async output => {
      const shown = topRows(output.rows, options.rows, options.orderBy)
      if (shown.length > 0) options.write(format(options.name, output, shown))
      return null
    },
    publish: async () => {},
    discard: async () => {},
    clearUp: async () => {},
  }
}

const schemaOf = (shown: readonly RowPlace[]): TableSchema => present(shown[0], 'row').batch.schema

const framedTable = (name: string, output: SinkOutput, shown: readonly RowPlace[]): string => {
  const columns = schemaOf(shown).fields.map(field => ({ name: field.name, align: alignOf(field.type) }))
  const cells = shown.map(({ batch, row }) => batch.columns.map(column => cellText(column, row)))
  const more = rowsOf(output) > shown.length ? `only the first ${shown.length} rows are shown\n` : ''
  return `${name}, batch ${output.batchId}\n${textTable(columns, cells)}${more}`
}

const RIGHT_ALIGNED: readonly ColumnType[] = ['int32', 'int64', 'float32', 'float64']
const alignOf = (type: ColumnType): 'left' | 'right' => (RIGHT_ALIGNED.includes(type) ? 'right' : 'left')

const jsonLine = (name: string, output: SinkOutput, shown: readonly RowPlace[]): string => {
  const names = schemaOf(shown).fields.map(field => jsonString(field.name))
  const rows = shown.map(({ batch, row }) => {
    const members = batch.columns.map((column, at) => `${names[at]}:${cellJson(column, row)}`)
    return `{${members.join(',')}}`
  })
  return `{"sink":${jsonString(name)},"batchId":${output.batchId},"rows":[${rows.join(',')}]}\n`
}

const rowsOf = (output: SinkOutput): number => output.rows.reduce((rows, batch) => rows + rowCount(batch), 0)
