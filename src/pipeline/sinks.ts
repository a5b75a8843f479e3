import { MillraceError } from '../base/errors.ts'
import { checkOptions, oneOf, positive } from './check-options.ts'
import type { AnyRow, ConsoleSinkNode, ForeachBatchSinkNode, KafkaSinkNode, PartitionBy, SinkNode } from './plan.ts'
import type { Columns, RowOf } from './schema.ts'
import { checkTopic } from './sources.ts'
import type { UnboundRedisView } from './views.ts'

declare const needs: unique symbol

/** A sink before the pipeline has bound it: `Needs` are the columns that its rows must have. */
export interface SinkSpec<Needs extends Columns = Record<never, never>> {
  readonly node: SinkNode | UnboundParquetSink | UnboundRedisView
  readonly [needs]?: (rows: Needs) => void
}

/** A Parquet sink whose folders follow the branch's event time until the user says otherwise. */
export interface UnboundParquetSink {
  readonly kind: 'parquet'
  readonly store: string | null
  readonly table: string
  readonly partitionBy: PartitionBy | 'eventTime'
}

export interface ParquetOptions {
  /**
   * Folders of the table: `{ hourOf: column }` makes `date=YYYY-MM-DD/hour=HH` (UTC), a list of columns makes
   * `column=value/…`, an empty list none. Default: the hour of the window's start, or of the only timestamp column.
   */
  readonly partitionBy?: { readonly hourOf: string } | readonly string[]
  /** Name of a store of the configuration (`stores.<name>.root`). Default: the store at `root`. */
  readonly store?: string
}

/** An append-only table of Parquet files in the folder `table` under the root; rows land exactly once. */
export const parquet = (table: string, options: ParquetOptions = {}): SinkSpec => {
  checkOptions('parquet()', options, { partitionBy: true, store: true })
  const safe = /^[A-Za-z0-9][A-Za-z0-9_-]*(\/[A-Za-z0-9][A-Za-z0-9_-]*)*$/
  if (!safe.test(table) || table.length > 200) {
    throw new MillraceError('INVALID_PIPELINE', `${JSON.stringify(table)} is not a table name`, {
      remedy: 'Use letters, digits, underscores and hyphens, with / between folders: raw/plays.',
    })
  }
  const store = options.store ?? null
  if (store !== null && !/^[a-z][a-z0-9-]*$/.test(store)) {
    throw new MillraceError('INVALID_PIPELINE', `${JSON.stringify(store)} is not the name of a store`, {
      remedy: 'Use lower-case letters, digits and hyphens, as in stores.<name>.root of the configuration.',
    })
  }
  return { node: Object.freeze({ kind: 'parquet', store, table, partitionBy: partitionBy(options.partitionBy) }) }
}

const partitionBy = (asked: ParquetOptions['partitionBy']): UnboundParquetSink['partitionBy'] => {
  if (asked === undefined) return 'eventTime'
  if ('hourOf' in asked) return { kind: 'hour', column: asked.hourOf }
  return asked.length === 0 ? { kind: 'none' } : { kind: 'columns', columns: asked }
}

/**
 * Prints the rows of each batch as a table, at most `rows` (default 20), perhaps by a column, greatest first.
 * @throws INVALID_PIPELINE
 */
export const console = (options: { readonly rows?: number; readonly orderBy?: string } = {}): SinkSpec => {
  checkOptions('console()', options, { rows: true, orderBy: true })
  const rows = positive(options.rows, 'console() rows') ?? 20
  const node: ConsoleSinkNode = { kind: 'console', rows, orderBy: options.orderBy ?? null }
  return { node: Object.freeze(node) }
}

export interface KafkaSinkOptions {
  /** Must exist; Millrace never creates it. */
  readonly topic: string
  /** Bootstrap servers `host:port`. Left out, configuration (`kafka.brokers`) says them. */
  readonly brokers?: readonly string[]
  /** Column of the record's key: text and bytes as they are, other types as text. Rows with one key keep their order. */
  readonly key?: string
  /** Column (string, bytes or json) that is the record's value. Default: the whole row as a JSON object. */
  readonly value?: string
  /** Default `none`. */
  readonly compression?: 'none' | 'gzip'
}

const KAFKA_SINK_OPTIONS: Readonly<Record<keyof KafkaSinkOptions, true>> = {
  topic: true,
  brokers: true,
  key: true,
  value: true,
  compression: true,
}

/**
 * Sends rows to a Kafka topic once their batch is committed, at least once: after a crash some may come again, with the
 * same bytes and the same header `millrace-id` (`<pipeline>/<sink>/<epoch>/<batch>/<index>`), by which receivers tell them.
 * @throws INVALID_PIPELINE
 */
export const kafkaSink = (options: KafkaSinkOptions): SinkSpec => {
  checkOptions('kafkaSink()', options, KAFKA_SINK_OPTIONS)
  const node: KafkaSinkNode = {
    kind: 'kafka',
    topic: checkTopic(options.topic),
    brokers: options.brokers ?? null,
    key: options.key ?? null,
    value: options.value ?? null,
    compression: oneOf(options.compression ?? 'none', ['none', 'gzip'], 'compression'),
  }
  return { node: Object.freeze(node) }
}

/**
 * Hands the rows of each batch to a function, at least once: after a crash the same batch may come again under the
 * same `batchId`, so what the function does should be repeatable. The batch waits until its promise settles.
 */
export const foreachBatch = <C extends Columns = Columns>(
  deliver: (
    rows: readonly RowOf<C>[],
    batch: { readonly batchId: number; readonly pipeline: string },
  ) => Promise<void> | void,
): SinkSpec<C> => {
  const node: ForeachBatchSinkNode = {
    kind: 'foreachBatch',
    deliver: (rows: readonly AnyRow[], batch) => deliver(rows as readonly RowOf<C>[], batch),
  }
  return { node: Object.freeze(node) }
}
