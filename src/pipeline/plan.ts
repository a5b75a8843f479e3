import type { DurationMs, EpochMs } from '../base/units.ts'
import type { AggregateSpec } from '../columnar/group-table.ts'
import type { ColumnType, TableSchema } from '../columnar/schema.ts'

/**
 * What a user's pipeline comes down to: frozen nodes, tagged by `kind`, that say what to do and never do it.
 * Everything but the lambdas is plain data; a lambda is addressed by branch and stage index, which is the
 * same in every thread that loads the same pipeline file.
 */
export interface PipelinePlan {
  readonly kind: 'pipeline'
  readonly name: string
  readonly source: SourceNode
  readonly format: FormatNode
  /** At least one; each reads all decoded rows. */
  readonly branches: readonly BranchPlan[]
}

/** Stages in the tasks, then perhaps an aggregation, then stages over its results in the driver, then sinks. */
export interface BranchPlan {
  readonly name: string
  readonly stages: readonly StageNode[]
  readonly aggregation: AggregationNode | null
  /** Stages over finished aggregates; empty where there is no aggregation. */
  readonly resultStages: readonly StageNode[]
  readonly outputMode: OutputMode
  /** Schema of the rows that reach the sinks. */
  readonly output: TableSchema
  /** At least one. */
  readonly sinks: readonly SinkNode[]
}

/** `append`: a row is final when it is put out. `update`: each batch puts out the groups that it changed. */
export type OutputMode = 'append' | 'update'

/** Where a new pipeline starts: an end of the topic, exact offsets (-2 earliest, -1 latest), or a point in time. */
export type StartingPosition =
  | { readonly kind: 'earliest' }
  | { readonly kind: 'latest' }
  | { readonly kind: 'offsets'; readonly offsets: Readonly<Record<string, Readonly<Record<string, number>>>> }
  | { readonly kind: 'timestamp'; readonly timestamp: EpochMs }

export type SourceNode = KafkaSourceNode | DatagenSourceNode

export interface KafkaSourceNode {
  readonly kind: 'kafka'
  readonly topic: string
  /** Bootstrap servers `host:port`; `null` where configuration (`kafka.brokers`) says it. */
  readonly brokers: readonly string[] | null
  readonly startingPosition: StartingPosition
  /** Offsets by topic and partition where `availableNow` ends; `null` for what is there when it starts. */
  readonly endingOffsets: Readonly<Record<string, Readonly<Record<string, number>>>> | null
  readonly failOnDataLoss: boolean
  readonly maxOffsetsPerTrigger: number | null
  readonly minOffsetsPerTrigger: number | null
  /** How long fewer rows than `minOffsetsPerTrigger` may wait. */
  readonly maxTriggerDelayMs: DurationMs
  readonly isolation: 'read_committed' | 'read_uncommitted'
  /** Consumer group that committed offsets are mirrored to; `null` for `millrace-<pipeline>`. */
  readonly groupId: string | null
  /** `null` where batch jobs have nothing to read. */
  readonly landed: LandedSource | null
}

/** The table that holds a source's rows with their coordinates, for batch jobs; see `landedTable`. */
export interface LandedSource {
  readonly table: string
  /** Where no branch of the pipeline writes it: the column whose hour names its folders; `null` for no such folders. */
  readonly hourOf: string | null
  /** As well: what the names of its coordinates begin with. */
  readonly prefix: string | null
  /** As well: name of the store that it lies in; `null` for the one at the root. */
  readonly store: string | null
}

/** Playback events made by seed and offset, to be re-read like a topic. */
export interface DatagenSourceNode {
  readonly kind: 'datagen'
  readonly partitions: number
  /** Rows per second and source, by the wall clock. */
  readonly rowsPerSecond: number
  readonly seed: number
  /** Event time advances so many times faster than the wall clock. */
  readonly speed: number
  /** Event time of offset 0. */
  readonly startTime: EpochMs
  /** Rows per partition after which the source ends; `null` for no end. */
  readonly rowsPerPartition: number | null
  readonly eventBytes: 'small' | 'large'
  readonly landed: LandedSource | null
}

export type FormatNode =
  | {
      readonly kind: 'json'
      readonly schema: TableSchema
      readonly validate: 'row' | 'fields'
      readonly maxRecordBytes: number
    }
  /** The whole value in one column named `value`. */
  | { readonly kind: 'text' | 'bytes'; readonly schema: TableSchema; readonly maxRecordBytes: number }

/** A row as lambdas see it: getters over columns, valid during the call only. */
export type AnyRow = Readonly<Record<string, unknown>>

/** What happens to a row whose lambda throws. */
export type OnStageError = 'fail' | 'deadLetter'

interface StageBase {
  /** Schema of the rows that leave the stage. */
  readonly output: TableSchema
}
export interface FilterNode extends StageBase {
  readonly kind: 'filter'
  readonly onError: OnStageError
  readonly predicate: (row: AnyRow) => boolean
}
export interface WithColumnNode extends StageBase {
  readonly kind: 'withColumn'
  readonly onError: OnStageError
  readonly name: string
  readonly type: ColumnType
  readonly compute: (row: AnyRow) => unknown
}
export interface MapNode extends StageBase {
  readonly kind: 'map'
  readonly onError: OnStageError
  readonly transform: (row: AnyRow) => AnyRow
}
export interface FlatMapNode extends StageBase {
  readonly kind: 'flatMap'
  readonly onError: OnStageError
  readonly transform: (row: AnyRow) => Iterable<AnyRow>
}
export interface SelectNode extends StageBase {
  readonly kind: 'select'
  readonly columns: readonly string[]
}
/** Adds the row's coordinates: `topic`, `partition`, `offset`, `timestamp`, `key`, `headers`, each after `prefix`. */
export interface LandNode extends StageBase {
  readonly kind: 'land'
  readonly prefix: string
}
export type StageNode = FilterNode | WithColumnNode | MapNode | FlatMapNode | SelectNode | LandNode

/** `groupBy` and `aggregate`, over tumbling windows or (window `null`) over all time. */
export interface AggregationNode {
  readonly window: TumblingWindow | null
  /** Group columns, without the window's. */
  readonly keys: readonly string[]
  readonly aggregates: readonly AggregateSpec[]
  /** Rows that go in. */
  readonly input: TableSchema
  /** `window_start`, `window_end` (where there is a window), keys, aggregates. */
  readonly output: TableSchema
}

export interface TumblingWindow {
  readonly sizeMs: DurationMs
  /** Windows start at multiples of the size since the epoch, plus this. */
  readonly offsetMs: DurationMs
  /** A `timestamp` column of the input. */
  readonly eventTime: string
  /** How late a row may be: the watermark stays so far behind the greatest event time of a partition. */
  readonly delayMs: DurationMs
}

export type SinkNode = ParquetSinkNode | ConsoleSinkNode | ForeachBatchSinkNode | KafkaSinkNode | RedisViewSinkNode

/** How rows are put into folders of a table. */
export type PartitionBy =
  | { readonly kind: 'none' }
  /** `date=YYYY-MM-DD/hour=HH` (UTC) of a timestamp column. */
  | { readonly kind: 'hour'; readonly column: string }
  /** `column=value` for each column, values URL-encoded, null as `__HIVE_DEFAULT_PARTITION__`. */
  | { readonly kind: 'columns'; readonly columns: readonly string[] }

export interface ParquetSinkNode {
  readonly kind: 'parquet'
  /** Name of the store that the table lies in; `null` for the one at the configuration's root. */
  readonly store: string | null
  /** Folder under the store's root. */
  readonly table: string
  readonly partitionBy: PartitionBy
}
export interface ConsoleSinkNode {
  readonly kind: 'console'
  readonly rows: number
  /** Column to sort by, descending; `null` for the order of arrival. */
  readonly orderBy: string | null
}
/** Current rows by key in Redis. */
export interface RedisViewSinkNode {
  readonly kind: 'redisView'
  readonly name: string
  /** Columns whose values tell rows apart; a later row with the same values takes the place of an earlier one. */
  readonly key: readonly string[]
  /** How a row is kept: a Redis hash, a field for each column, or a string of JSON. */
  readonly format: 'hash' | 'json'
  /** A row goes so long after the batch that wrote it last; `null` for never. */
  readonly ttlMs: DurationMs | null
  /** The rows with the greatest values of a column, kept as a sorted set. */
  readonly top: { readonly by: string; readonly n: number } | null
  /** Table of the pipeline whose batch results stand for closed hours; `null` for none. */
  readonly table: string | null
}
export interface ForeachBatchSinkNode {
  readonly kind: 'foreachBatch'
  readonly deliver: ForeachBatchFunction
}

/** Rows as records of a topic, at-least-once. */
export interface KafkaSinkNode {
  readonly kind: 'kafka'
  readonly topic: string
  /** Bootstrap servers `host:port`; `null` where configuration (`kafka.brokers`) says it. */
  readonly brokers: readonly string[] | null
  /** Column of the record's key; `null` for none. */
  readonly key: string | null
  /** Column of the record's value; `null` for the whole row as JSON. */
  readonly value: string | null
  readonly compression: 'none' | 'gzip'
}

/** The user's own sink, at-least-once: a batch may come again under the same id after a crash. */
export type ForeachBatchFunction = (
  rows: readonly AnyRow[],
  batch: { readonly batchId: number; readonly pipeline: string },
) => Promise<void> | void

/** Name of the column that holds the start of a row's window. */
export const WINDOW_START = 'window_start'
export const WINDOW_END = 'window_end'
