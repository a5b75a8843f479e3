import { writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import { formatCount } from '../base/format.ts'
import { type TextColumn, textTable } from '../base/text-table.ts'
import type { HourRecord } from '../batch/hour-record.ts'
import { type BatchTables, batchTables } from '../wiring/batch-tables.ts'
import { bundleFor } from '../wiring/start.ts'
import { configOf, type SettingsFlags, withSettings } from './settings.ts'

interface TablesFlags extends SettingsFlags {
  readonly duckdbView?: string
}

/** `millrace tables <pipeline.ts>`: batch tables, their hours, and the generation of each that counts. */
export const tablesCommand = (): Command =>
  withSettings(new Command('tables'))
    .description('Show the batch tables of a pipeline, hour by hour, and which generation counts.')
    .argument('<pipeline.ts>', 'file that default-exports a pipeline')
    .option('--duckdb-view <file>', 'write SQL for DuckDB views that follow the generations')
    .action(async (file: string, flags: TablesFlags) => {
      const config = await configOf(flags)
      const { plan } = await bundleFor(file)
      const tables = await batchTables(plan, config)
      if (flags.duckdbView !== undefined) await writeFile(flags.duckdbView, tables.duckdbViews)
      const { duckdbViews: _, ...listed } = tables
      process.stdout.write(flags.json === true ? `${JSON.stringify(listed)}\n` : render(tables))
      if (flags.duckdbView !== undefined && flags.json !== true) {
        process.stdout.write(`views written: duckdb -init ${flags.duckdbView}\n`)
      }
    })

const COLUMNS: readonly TextColumn[] = [
  { name: 'hour', align: 'left' },
  { name: 'table', align: 'left' },
  { name: 'generation', align: 'right' },
  { name: 'rows', align: 'right' },
  { name: 'files', align: 'right' },
  { name: 'bytes', align: 'right' },
  { name: 'committed', align: 'left' },
  { name: 'last attempt', align: 'left' },
]

const render = ({ pipeline, location, tables, hours }: BatchTables): string => {
  if (hours.length === 0) return `no hour of ${pipeline} was computed under ${location}\n`
  const rows = hours.flatMap(hour => tables.map(table => row(hour, table)))
  return `batch tables of ${pipeline} in ${location}\n${textTable(COLUMNS, rows, 60)}`
}

const row = ({ hour, published, attempt }: HourRecord, table: string): readonly string[] => {
  const found = published?.tables.find(each => each.table === table)
  const last = attempt.error === null ? attempt.status : `${attempt.status}: ${attempt.error.message}`
  if (published === null || found === undefined) return [hour, table, '', '', '', '', '', last]
  const bytes = found.files.reduce((sum, { size }) => sum + size, 0)
  return [
    hour,
    table,
    String(published.generation),
    formatCount(found.rows),
    String(found.files.length),
    formatCount(bytes),
    new Date(published.committedAt).toISOString(),
    last,
  ]
}
