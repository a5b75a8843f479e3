import type { AggregateFunction } from '../columnar/group-table.ts'
import type { ScalarType } from '../columnar/schema.ts'
import type { Columns } from './schema.ts'

/** One aggregate of a group, before it has a name. */
export interface Aggregate<Fn extends AggregateFunction, Column extends string> {
  readonly fn: Fn
  /** `null` where rows are counted. */
  readonly column: Column | null
}

/** Number of rows, or of rows in which `column` is not null. */
export const count = <C extends string = never>(column?: C): Aggregate<'count', C> => ({
  fn: 'count',
  column: column ?? null,
})
/** Sum of the values that are not null: exact (int64) for integers, float64 otherwise; null for none. */
export const sum = <C extends string>(column: C): Aggregate<'sum', C> => ({ fn: 'sum', column })
/** Least value that is not null. */
export const min = <C extends string>(column: C): Aggregate<'min', C> => ({ fn: 'min', column })
/** Greatest value that is not null. */
export const max = <C extends string>(column: C): Aggregate<'max', C> => ({ fn: 'max', column })
/** Mean of the values that are not null, as float64. */
export const avg = <C extends string>(column: C): Aggregate<'avg', C> => ({ fn: 'avg', column })

type Nullable<T extends ScalarType> = T | `${T}?`
type IntegerType = Nullable<'int32' | 'int64'>
type NumericType = IntegerType | Nullable<'float32' | 'float64'>
type TimeType = Nullable<'timestamp' | 'date'> | 'timestamp(iso8601)' | 'timestamp(iso8601)?'
type OrderedType = NumericType | TimeType | Nullable<'string'>

/** Names of the columns whose type is one of `T`. */
export type ColumnsOfType<C extends Columns, T extends string> = {
  [Name in keyof C & string]: C[Name] extends T ? Name : never
}[keyof C & string]

/** Names of the columns that hold a point in event time. */
export type TimestampColumns<C extends Columns> = ColumnsOfType<C, Extract<TimeType, `timestamp${string}`>>

/** The aggregates that a table with these columns can have. */
export type AggregateOver<C extends Columns> =
  | Aggregate<'count', keyof C & string>
  | Aggregate<'sum' | 'avg', ColumnsOfType<C, NumericType>>
  | Aggregate<'min' | 'max', ColumnsOfType<C, OrderedType>>

/** Type text of a finished aggregate. */
export type AggregateType<C extends Columns, A> =
  A extends Aggregate<'count', string>
    ? 'int64'
    : A extends Aggregate<'avg', string>
      ? 'float64?'
      : A extends Aggregate<'sum', infer Name>
        ? C[Name] extends IntegerType
          ? 'int64?'
          : 'float64?'
        : A extends Aggregate<'min' | 'max', infer Name>
          ? C[Name] extends `${infer Base extends ScalarType}?`
            ? `${Base}?`
            : C[Name] extends ScalarType
              ? `${C[Name]}?`
              : 'timestamp?'
          : never
