/** Types a column can have. `json` holds any nested value as its JSON text. */
export const SCALAR_TYPES = [
  'bool',
  'int32',
  'int64',
  'float32',
  'float64',
  'string',
  'bytes',
  'timestamp',
  'date',
  'json',
] as const
export type ScalarType = (typeof SCALAR_TYPES)[number]
export type ColumnType = ScalarType | `list<${ScalarType}>`

/** One column of a schema. `name` is also the path in a JSON value: `device.type` is `type` within `device`. */
export interface Field {
  readonly name: string
  readonly type: ColumnType
  /** Whether the column may hold nulls; a missing required value sends its row to the dead letters. */
  readonly nullable: boolean
  /** How a timestamp is written in JSON: a number of epoch milliseconds, or ISO 8601 text. Only for `timestamp`. */
  readonly timestampText?: 'epochMs' | 'iso8601'
}

/** Columns in their order; names are unique. */
export interface TableSchema {
  readonly fields: readonly Field[]
}

/** Fields with the way to find them by name. @throws INVALID_SCHEMA where a name is there twice */
export const tableSchema = (fields: readonly Field[]): TableSchema =>
  Object.freeze({ fields: Object.freeze([...fields]) })

/** Position of a column, or -1. */
export const fieldIndex = (schema: TableSchema, name: string): number =>
  schema.fields.findIndex(field => field.name === name)
