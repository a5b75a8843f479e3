import { type DurationText, formatDuration, parseDuration } from '../base/duration.ts'
import { MillraceError } from '../base/errors.ts'
import { durationMs } from '../base/units.ts'
import { type ColumnType, fieldIndex, type TableSchema } from '../columnar/schema.ts'
import { checkOptions, oneOf } from './check-options.ts'
import {
  type AggregationNode,
  type BranchPlan,
  type OutputMode,
  type PipelinePlan,
  type RedisViewSinkNode,
  WINDOW_START,
} from './plan.ts'
import type { TypeText } from './schema.ts'
import type { SinkSpec } from './sinks.ts'

/** Options of a view; `K` and `B` are names of columns. */
export interface RedisViewOptions<K extends string, B extends string> {
  /**
   * Columns that tell rows apart; the last row with the same values counts. Default: what the branch groups by, with the
   * start of the window where there are windows.
   */
  readonly key?: readonly K[]
  /** `hash` (default): a Redis hash with a field for each column that is not null. `json`: a string of JSON. */
  readonly format?: 'hash' | 'json'
  /**
   * A row goes so long after the batch that wrote it last. Default: `1d` where the key holds the start of the window, so
   * that the view does not grow for ever, else `never`.
   */
  readonly ttl?: DurationText | 'never'
  /** Keeps the `n` rows with the greatest values of a numeric column as a sorted set. */
  readonly top?: { readonly by: B; readonly n: number }
  /**
   * Table of this pipeline with the same windows, whose batch results answer for closed hours in the merged view
   * (`GET /views/<name>`). Default: the table of the same branch, if it writes one.
   */
  readonly table?: string
}

/** A view before it is bound to the rows that reach it. */
export interface UnboundRedisView extends Omit<RedisViewSinkNode, 'key' | 'ttlMs'> {
  readonly key: readonly string[] | null
  readonly ttlMs: RedisViewSinkNode['ttlMs'] | 'default'
}

const invalid = (message: string, remedy: string): MillraceError =>
  new MillraceError('INVALID_PIPELINE', message, { remedy })

const WINDOWED_TTL = durationMs(24 * 3_600_000)
const MAX_TOP = 10_000
const KEY_TYPES: readonly ColumnType[] = ['bool', 'int32', 'int64', 'float32', 'float64', 'string', 'timestamp', 'date']
const TOP_TYPES: readonly ColumnType[] = ['int32', 'int64', 'float32', 'float64', 'timestamp', 'date']

/**
 * The current row of each key in Redis: `HGETALL millrace:view:{<name>}:<key>`. Each batch is applied at most once and
 * after its commit; where Redis is away or loses data, the stream goes on and the view is rebuilt from its log.
 * Needs `redis.url`. @throws INVALID_PIPELINE
 */
export const redisView = <const K extends string = never, const B extends string = never>(
  name: string,
  options: RedisViewOptions<K, B> = {},
): SinkSpec<Readonly<Record<K | B, TypeText>>> => {
  checkOptions('redisView()', options, { key: true, format: true, ttl: true, top: true, table: true })
  const { key = null, ttl, top = null, table = null } = options
  const format = oneOf(options.format ?? 'hash', ['hash', 'json'], 'format of a view')
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/.test(name)) {
    throw invalid(`${JSON.stringify(name)} is not the name of a view`, 'Use up to 100 letters, digits, _ and -.')
  }
  if (top !== null && !(Number.isSafeInteger(top.n) && top.n >= 1 && top.n <= MAX_TOP)) {
    throw invalid(`the view ${name} can't keep the top ${top.n}`, `Use a whole number from 1 to ${MAX_TOP}.`)
  }
  const ttlMs = ttl === undefined ? 'default' : ttl === 'never' ? null : parseDuration(ttl, `ttl of ${name}`)
  if (ttlMs === 0) throw invalid(`the rows of the view ${name} would be gone at once`, "Use a longer ttl, or 'never'.")
  const node: UnboundRedisView = { kind: 'redisView', name, key, format, ttlMs, top, table }
  return { node: Object.freeze(node) }
}

/** The rows that reach a view. */
export interface ViewedBranch {
  readonly current: TableSchema
  readonly aggregation: AggregationNode | null
}

/** A view with the table of its own branch where the user named none and the branch has windows. */
export const withOwnTable = (
  sink: SinkSpec['node'],
  siblings: readonly SinkSpec['node'][],
  aggregation: AggregationNode | null,
): SinkSpec['node'] => {
  if (sink.kind !== 'redisView' || sink.table !== null || (aggregation?.window ?? null) === null) return sink
  const own = siblings.find(each => each.kind === 'parquet')
  return own === undefined ? sink : { ...sink, table: own.table }
}

/** Binds a view to the rows that reach it. @throws INVALID_PIPELINE where its key does not tell them apart */
export const bindView = (sink: UnboundRedisView, branch: ViewedBranch, mode: OutputMode): RedisViewSinkNode => {
  const grouping = groupColumns(branch)
  const key = sink.key ?? grouping
  if (key.length === 0) {
    throw invalid(`the view ${sink.name} has no key`, "Name the columns that tell its rows apart: { key: ['user'] }.")
  }
  for (const column of key) requireColumn(sink, branch.current, column, KEY_TYPES, 'has the key')
  // a window's result is put out once, so that without the window in the key the latest window counts
  const needed = mode === 'append' ? grouping.filter(column => column !== WINDOW_START) : grouping
  const missing = needed.filter(column => !key.includes(column))
  if (missing.length > 0) {
    throw invalid(
      `rows of the view ${sink.name} that differ in ${missing.join(', ')} would take each other's place`,
      `Add ${missing.join(', ')} to its key${missing.includes(WINDOW_START) ? ", or use outputMode('append')" : ''}.`,
    )
  }
  if (sink.top !== null) requireColumn(sink, branch.current, sink.top.by, TOP_TYPES, 'is ordered by')
  const ttlMs = sink.ttlMs !== 'default' ? sink.ttlMs : key.includes(WINDOW_START) ? WINDOWED_TTL : null
  return Object.freeze({ ...sink, key: Object.freeze([...key]), ttlMs })
}

/** What the branch groups by, as far as it still reaches the sink. */
const groupColumns = ({ current, aggregation }: ViewedBranch): readonly string[] => {
  if (aggregation === null) return []
  const grouping = aggregation.window === null ? aggregation.keys : [WINDOW_START, ...aggregation.keys]
  return grouping.filter(column => fieldIndex(current, column) !== -1)
}

const requireColumn = (
  { name }: UnboundRedisView,
  schema: TableSchema,
  column: string,
  types: readonly ColumnType[],
  what: string,
): void => {
  const field = schema.fields[fieldIndex(schema, column)]
  if (field === undefined) {
    const known = schema.fields.map(each => each.name).join(', ')
    throw invalid(`the view ${name} ${what} ${column}, which is not there`, `Use one of: ${known}.`)
  }
  if (!types.includes(field.type)) {
    throw invalid(`the view ${name} ${what} ${column}, a ${field.type} column`, `Use one of type ${types.join(', ')}.`)
  }
}

/** One line for the plan. */
export const describeView = ({ name, key, format, ttlMs, top, table }: RedisViewSinkNode): string => {
  const ranked = top === null ? '' : `, top ${top.n} by ${top.by}`
  const kept = ttlMs === null ? '' : `, kept ${formatDuration(ttlMs)}`
  const closed = table === null ? '' : `, closed hours from ${table}`
  return `redisView ${name} (${format} by ${key.join(', ')}${ranked}${kept}${closed})`
}

/**
 * The view with the table that stands for its closed hours, which must hold the same windows of the same groups.
 * @throws INVALID_PIPELINE
 */
export const requireViewTables = ({ branches }: PipelinePlan): void => {
  for (const { sinks, aggregation } of branches) {
    for (const sink of sinks) {
      if (sink.kind !== 'redisView' || sink.table === null) continue
      const other = branches.find(branch => writes(branch, sink.table))?.aggregation ?? null
      if (other === null || aggregation === null || !sameWindows(aggregation, other)) {
        throw invalid(
          `no branch writes a table ${sink.table} with the windows and groups of the view ${sink.name}`,
          'Name a table of a branch that cuts and groups as the view does, or leave `table` out.',
        )
      }
    }
  }
}

const writes = ({ sinks }: BranchPlan, table: string | null): boolean =>
  sinks.some(sink => sink.kind === 'parquet' && sink.table === table)

const sameWindows = (a: AggregationNode, b: AggregationNode): boolean =>
  a.window !== null &&
  a.window.sizeMs === b.window?.sizeMs &&
  a.window.offsetMs === b.window.offsetMs &&
  a.keys.join() === b.keys.join() &&
  a.aggregates.every(({ as, fn }) => b.aggregates.some(other => other.as === as && other.fn === fn))
