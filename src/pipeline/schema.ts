import { MillraceError } from '../base/errors.ts'
import { type Field, SCALAR_TYPES, type ScalarType, type TableSchema, tableSchema } from '../columnar/schema.ts'

/** A type as users write it in `schema({ … })`; `?` at the end means that the column may be null or missing. */
export type TypeText = BaseTypeText | `${BaseTypeText}?`
/** `timestamp` is a number of epoch milliseconds in JSON, `timestamp(iso8601)` is text such as 2026-01-15T10:00:00Z. */
export type BaseTypeText = ScalarType | 'timestamp(iso8601)' | `list<${ScalarType}>`

/** The JavaScript value of a column in a row. int64 is a bigint; timestamps are epoch milliseconds, dates days since 1970. */
export type ValueOf<T extends string> = T extends `${infer Base}?`
  ? ValueOf<Base> | null
  : T extends `list<${infer Item}>`
    ? readonly (ValueOf<Item> | null)[]
    : T extends 'bool'
      ? boolean
      : T extends 'int64'
        ? bigint
        : T extends 'string' | 'json'
          ? string
          : T extends 'bytes'
            ? Uint8Array
            : number

/** Column names with their type texts: what the compiler knows of a table. */
export type Columns = Readonly<Record<string, TypeText>>

/** The row of a table with these columns. */
export type RowOf<C extends Columns> = { readonly [Name in keyof C & string]: ValueOf<C[Name]> }

declare const columns: unique symbol

/** Columns of a table, for the running program and (as `C`) for the compiler. */
export interface Schema<C extends Columns> extends TableSchema {
  readonly [columns]?: C
}

/** The row type of a schema: `type PlayRow = InferRow<typeof Play>`. */
export type InferRow<S> = S extends Schema<infer C> ? RowOf<C> : never

/**
 * Describes the columns that a pipeline reads. Only these are parsed. A name with a dot is a path into nested objects.
 * @throws INVALID_SCHEMA for an empty schema or an unknown type
 */
export const schema = <const C extends Columns>(definition: C): Schema<C> => {
  const fields = Object.entries(definition).map(([name, text]) => parseField(name, text))
  if (fields.length === 0) {
    throw new MillraceError('INVALID_SCHEMA', 'the schema has no columns', { remedy: 'Name at least one column.' })
  }
  return tableSchema(fields)
}

const SCALARS: ReadonlySet<string> = new Set(SCALAR_TYPES)

/** Reads one column's type text. @throws INVALID_SCHEMA */
export const parseField = (name: string, text: string): Field => {
  if (name === '' || name.split('.').includes('')) {
    throw new MillraceError('INVALID_SCHEMA', `${JSON.stringify(name)} is not a column name`, {
      remedy: 'Use a name, or a path such as device.type, without empty parts.',
    })
  }
  const nullable = text.endsWith('?')
  const base = nullable ? text.slice(0, -1) : text
  if (base === 'timestamp(iso8601)') return { name, type: 'timestamp', nullable, timestampText: 'iso8601' }
  if (base === 'timestamp') return { name, type: 'timestamp', nullable, timestampText: 'epochMs' }
  const item = /^list<(.+)>$/.exec(base)?.[1]
  if (!SCALARS.has(item ?? base)) {
    throw new MillraceError('INVALID_SCHEMA', `column ${name} has the unknown type ${JSON.stringify(text)}`, {
      remedy: `Use one of ${SCALAR_TYPES.join(', ')}, timestamp(iso8601) or list<…>, with ? for a column that may be null.`,
    })
  }
  return { name, type: base as Field['type'], nullable }
}
