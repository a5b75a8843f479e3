import { type DurationText, parseDuration } from '../base/duration.ts'
import type { TableSchema } from '../columnar/schema.ts'
import type { AggregateOver, AggregateType, TimestampColumns } from './aggregates.ts'
import {
  addAggregation,
  addStage,
  type Draft,
  filterStage,
  finishBranch,
  flatMapStage,
  landStage,
  mapStage,
  selectStage,
  withColumnStage,
} from './draft.ts'
import { mergeBranches } from './merge-branches.ts'
import type { AnyRow, OutputMode, PipelinePlan, TumblingWindow, WINDOW_END, WINDOW_START } from './plan.ts'
import type { Columns, RowOf, Schema, TypeText, ValueOf } from './schema.ts'
import type { SinkSpec } from './sinks.ts'
import type { WindowSpec } from './windows.ts'

/** Columns that `land()` adds: where a row came from. */
export type LandedColumns<Prefix extends string> = {
  readonly [Name in keyof typeof LANDED_TYPES as `${Prefix}${Name}`]: (typeof LANDED_TYPES)[Name]
}
declare const LANDED_TYPES: {
  readonly topic: 'string'
  readonly partition: 'int32'
  readonly offset: 'int64'
  readonly timestamp: 'timestamp?'
  readonly key: 'bytes?'
  readonly headers: 'json?'
}

type Simplify<T> = { readonly [K in keyof T]: T[K] }
type WithColumn<C extends Columns, N extends string, T extends TypeText> = Simplify<Omit<C, N> & Record<N, T>>
type Grouped<C extends Columns, K extends keyof C & string, A, Windowed extends boolean> = Simplify<
  (Windowed extends true ? { [WINDOW_START]: 'timestamp'; [WINDOW_END]: 'timestamp' } : unknown) &
    Pick<C, K> & { [Name in keyof A & string]: AggregateType<C, A[Name]> }
>

/** Rows on their way through a pipeline. Every method gives a new stream and leaves this one as it was. */
export class Stream<C extends Columns> {
  readonly #draft: Draft

  constructor(draft: Draft) {
    this.#draft = draft
  }

  /** Keeps the rows for which `predicate` says true. The row is a view: use it during the call only. */
  filter(predicate: (row: RowOf<C>) => boolean): Stream<C> {
    return new Stream(addStage(this.#draft, filterStage(this.#draft, predicate as (row: AnyRow) => boolean)))
  }

  /** Adds a column, or replaces one of that name. */
  withColumn<const N extends string, const T extends TypeText>(
    name: N,
    type: T,
    compute: (row: RowOf<C>) => ValueOf<T>,
  ): Stream<WithColumn<C, N, T>> {
    const stage = withColumnStage(this.#draft, name, type, compute as (row: AnyRow) => unknown)
    return new Stream(addStage(this.#draft, stage))
  }

  /** One row for each row. May allocate; prefer `withColumn` and `select` where they do. */
  map<D extends Columns>(schema: Schema<D>, transform: (row: RowOf<C>) => RowOf<D>): Stream<D> {
    return new Stream(addStage(this.#draft, mapStage(schema, this.#draft, transform)))
  }

  /** Any number of rows for each row. */
  flatMap<D extends Columns>(schema: Schema<D>, transform: (row: RowOf<C>) => Iterable<RowOf<D>>): Stream<D> {
    const stage = flatMapStage(schema, this.#draft, transform as (row: AnyRow) => Iterable<AnyRow>)
    return new Stream(addStage(this.#draft, stage))
  }

  /** These columns, in this order. */
  select<K extends keyof C & string>(...columns: readonly K[]): Stream<Pick<C, K>> {
    return new Stream(addStage(this.#draft, selectStage(this.#draft, columns)))
  }

  /**
   * Adds where each row came from: `topic`, `partition`, `offset`, `timestamp`, `key`, `headers` (JSON), so that what
   * lands can be checked against the source and be read again. `prefix` avoids clashes with columns of the schema.
   */
  land<const P extends string = ''>(options: { readonly prefix?: P } = {}): Stream<Simplify<C & LandedColumns<P>>> {
    return new Stream(addStage(this.#draft, landStage(this.#draft, options.prefix ?? '')))
  }

  /**
   * Cuts event time into windows for the aggregation that follows. A row may be `watermark` late, counted from the
   * greatest event time of its partition; later ones are dropped and counted as `late`.
   */
  window(
    spec: WindowSpec,
    options: { readonly eventTime: TimestampColumns<C>; readonly watermark: DurationText },
  ): Windowed<C> {
    const delayMs = parseDuration(options.watermark, 'watermark')
    return new Windowed(this.#draft, { ...spec, eventTime: options.eventTime, delayMs })
  }

  /** Groups over all time: results are put out as they change (output mode `update`). */
  groupBy<K extends keyof C & string>(...keys: readonly K[]): GroupedStream<C, K, false> {
    return new GroupedStream(this.#draft, null, keys)
  }

  /** `append`: rows are final when put out. `update`: each batch puts out the groups that it changed. */
  outputMode(mode: OutputMode): Stream<C> {
    return new Stream({ ...this.#draft, outputMode: mode })
  }

  /**
   * Several outputs from one source, each with a name: `{ raw: rows => rows.land().to(…), … }`.
   * @throws INVALID_PIPELINE where two have one name or write into one folder
   */
  branches(build: Readonly<Record<string, (rows: Stream<C>) => PipelinePlan>>): PipelinePlan {
    return mergeBranches(
      Object.entries(build).map(([name, branch]) => branch(new Stream({ ...this.#draft, branch: name }))),
    )
  }

  /** Ends the branch: where its rows go. @throws INVALID_PIPELINE where a sink can't take them */
  to(...sinks: readonly SinkSpec<C>[]): PipelinePlan {
    const nodes = sinks.map(sink => sink.node)
    return mergeBranches([finishBranch(this.#draft, nodes)])
  }

  /** Columns at this point. */
  get schema(): TableSchema {
    return this.#draft.current
  }
}

/** Rows in windows, before they are grouped. */
export class Windowed<C extends Columns> {
  readonly #draft: Draft
  readonly #window: TumblingWindow

  constructor(draft: Draft, window: TumblingWindow) {
    this.#draft = draft
    this.#window = window
  }

  groupBy<K extends keyof C & string>(...keys: readonly K[]): GroupedStream<C, K, true> {
    return new GroupedStream(this.#draft, this.#window, keys)
  }

  /** One group for each window. */
  aggregate<const A extends Readonly<Record<string, AggregateOver<C>>>>(
    aggregates: A,
  ): Stream<Grouped<C, never, A, true>> {
    return new Stream(addAggregation(this.#draft, this.#window, [], aggregates))
  }
}

/** Rows in groups, before they are aggregated. */
export class GroupedStream<C extends Columns, K extends keyof C & string, Windowed extends boolean> {
  readonly #draft: Draft
  readonly #window: TumblingWindow | null
  readonly #keys: readonly K[]

  constructor(draft: Draft, window: TumblingWindow | null, keys: readonly K[]) {
    this.#draft = draft
    this.#window = window
    this.#keys = keys
  }

  /** One row for each group: window (if any), group columns, aggregates. */
  aggregate<const A extends Readonly<Record<string, AggregateOver<C>>>>(
    aggregates: A,
  ): Stream<Grouped<C, K, A, Windowed>> {
    return new Stream(addAggregation(this.#draft, this.#window, this.#keys, aggregates))
  }
}
