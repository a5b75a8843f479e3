import type { ColumnType, TableSchema } from '../columnar/schema.ts'
import type { PartitionBy, PipelinePlan } from '../pipeline/plan.ts'
import { batchLayout, GENERATIONS_FOLDER } from './batch-layout.ts'
import { batchPlan } from './batch-plan.ts'
import type { HourRecord } from './hour-record.ts'
import { publishedHours } from './published-tables.ts'

/** A batch table as views need to know it. */
interface ViewedTable {
  readonly table: string
  readonly schema: TableSchema
  readonly partitionBy: PartitionBy
}

/**
 * DuckDB views of a pipeline's batch tables, one for each, named like it. They read the hour records whenever they are
 * asked, so that they follow later generations by themselves.
 * @param location the store's: a folder or `s3://bucket/prefix`
 */
export const duckdbViews = (plan: PipelinePlan, location: string, records: readonly HourRecord[]): string => {
  const tables = batchPlan(plan).plan.branches.flatMap(({ sinks, output }) =>
    sinks.flatMap((sink): readonly ViewedTable[] =>
      sink.kind === 'parquet' ? [{ table: sink.table, schema: output, partitionBy: sink.partitionBy }] : [],
    ),
  )
  const views = tables.map(viewed => {
    const hasFiles = publishedHours(records, viewed.table).some(({ files }) => files.length > 0)
    return hasFiles ? followingView(plan.name, location, viewed) : emptyView(viewed)
  })
  return [
    `-- Batch tables of the pipeline ${plan.name}, as its hour records say. Written by millrace tables.`,
    ...views,
  ]
    .join('\n\n')
    .concat('\n')
}

const text = (value: string): string => `'${value.replaceAll("'", "''")}'`
const name = (value: string): string => `"${value.replaceAll('"', '""')}"`

const followingView = (pipeline: string, location: string, { table, schema, partitionBy }: ViewedTable): string => {
  const columns = partitionBy.kind === 'columns' ? partitionBy.columns : []
  const types = columns.map(column => `${text(column)}: ${duckdbType(typeOf(schema, column))}`)
  const folders = columns.length === 0 ? 'false' : `true, hive_types = {${types.join(', ')}}`
  return [
    `CREATE OR REPLACE VIEW ${name(table)} AS`,
    `SELECT ${schema.fields.map(field => name(field.name)).join(', ')}`,
    `FROM read_parquet(${text(`${location}/${GENERATIONS_FOLDER}/${table}/*/${pipeline}/gen-*/**/*.parquet`)},`,
    `  filename = true, union_by_name = true, hive_partitioning = ${folders})`,
    'WHERE filename IN (',
    `  SELECT ${text(`${location}/`)} || unnest(from_json(each->'files', '[{"key": "VARCHAR"}]')).key`,
    '  FROM (',
    "    SELECT unnest(from_json(entry->'published'->'tables', '[\"JSON\"]')) AS each",
    `    FROM read_json(${text(`${location}/${batchLayout(pipeline).hours}*.json`)}, columns = {entry: 'JSON'})`,
    '  )',
    `  WHERE each->>'table' = ${text(table)}`,
    ');',
  ].join('\n')
}

/** Before the first file there is nothing whose columns DuckDB could look at. */
const emptyView = ({ table, schema }: ViewedTable): string => {
  const columns = schema.fields.map(field => `  NULL::${duckdbType(field.type)} AS ${name(field.name)}`)
  return [
    `-- No hour of ${table} has rows yet: write the views again once one has.`,
    `CREATE OR REPLACE VIEW ${name(table)} AS SELECT`,
    columns.join(',\n'),
    'WHERE false;',
  ].join('\n')
}

const typeOf = (schema: TableSchema, column: string): ColumnType =>
  schema.fields.find(field => field.name === column)?.type ?? 'string'

const DUCKDB_TYPES: Readonly<Record<string, string>> = {
  bool: 'BOOLEAN',
  int32: 'INTEGER',
  int64: 'BIGINT',
  float32: 'FLOAT',
  float64: 'DOUBLE',
  string: 'VARCHAR',
  json: 'VARCHAR',
  bytes: 'BLOB',
  timestamp: 'TIMESTAMP WITH TIME ZONE',
  date: 'DATE',
}

const duckdbType = (type: ColumnType): string => {
  const item = /^list<(.+)>$/.exec(type)?.[1]
  return item === undefined ? (DUCKDB_TYPES[type] ?? 'VARCHAR') : `${DUCKDB_TYPES[item] ?? 'VARCHAR'}[]`
}
