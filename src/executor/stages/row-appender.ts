import { MillraceError } from '../../base/errors.ts'
import type { ColumnBatch, RowOrigin } from '../../columnar/column-batch.ts'
import { columnBuilder } from '../../columnar/column-builder.ts'
import type { ColumnBuilder } from '../../columnar/column-builder-base.ts'
import type { TableSchema } from '../../columnar/schema.ts'

/** Turns the objects that lambdas return into columns. Used again for every batch. */
export interface RowAppender {
  /** Rows so far. */
  readonly length: number
  /**
   * Takes one row, made from `row` of the batch that is being read.
   * @throws STAGE_FAILED naming the column where a property is missing, unknown or of the wrong type
   */
  append(value: unknown, row: number): void
  /** Drops the rows from `length` on, also a half appended one. */
  rollbackTo(length: number): void
  /** The rows as a dense batch that comes from the same records as `source`; the appender is empty afterwards. */
  finish(source: ColumnBatch): ColumnBatch
}

/** Collects rows that lambdas made into columns, checked against the schema. */
export const rowAppender = (schema: TableSchema): RowAppender => {
  const names = schema.fields.map(field => field.name)
  const builders = schema.fields.map(field => columnBuilder(field))
  let madeFrom = new Int32Array(1024)
  let length = 0
  const appendValues = (value: object): void => {
    const properties = value as Readonly<Record<string, unknown>>
    for (let at = 0; at < names.length; at += 1) {
      const name = names[at] as string
      const property = properties[name]
      if (property === undefined && !(name in value)) throw missing(name)
      ;(builders[at] as ColumnBuilder).append(property)
    }
    if (mayHaveMore(value, names.length)) refuseUnknown(Object.keys(value), names)
  }
  return {
    get length() {
      return length
    },
    append(value, row) {
      if (typeof value !== 'object' || value === null) throw notARow(value)
      appendValues(value)
      if (length === madeFrom.length) madeFrom = grown(madeFrom)
      madeFrom[length++] = row
    },
    rollbackTo(kept) {
      length = kept
      for (const builder of builders) if (builder.length > kept) builder.rollbackTo(kept)
    },
    finish(source) {
      const columns = builders.map(builder => builder.finish())
      const origin = source.origin === null ? null : originOf(source.origin, madeFrom.subarray(0, length))
      const batch: ColumnBatch = { schema, columns, length, selection: null, origin }
      length = 0
      return batch
    },
  }
}

/** Whether an object has more than so many properties, inherited ones counted in; makes no array of them. */
const mayHaveMore = (value: object, most: number): boolean => {
  let properties = 0
  for (const _ in value) properties += 1
  return properties > most
}

const refuseUnknown = (keys: readonly string[], names: readonly string[]): void => {
  if (keys.length > names.length) throw unknown(keys, names)
}

const originOf = ({ records, recordOf }: RowOrigin, rows: Int32Array): RowOrigin => ({
  records,
  recordOf: rows.map(row => recordOf[row] as number),
})

const grown = (rows: Int32Array): Int32Array<ArrayBuffer> => {
  const larger = new Int32Array(rows.length * 2)
  larger.set(rows)
  return larger
}

const rowError = (message: string, column: string, remedy: string): MillraceError =>
  new MillraceError('STAGE_FAILED', message, { remedy, details: { column } })

const missing = (name: string): MillraceError =>
  rowError(`the row has no property ${name}`, name, `Return every column of the schema; null for no value in ${name}.`)

const unknown = (keys: readonly string[], names: readonly string[]): MillraceError => {
  const name = keys.find(key => !names.includes(key)) ?? ''
  return rowError(`the row has the property ${name}, which is no column`, name, `Use the columns ${names.join(', ')}.`)
}

const notARow = (value: unknown): MillraceError =>
  rowError(
    `the lambda returned ${value === null ? 'null' : `a ${typeof value}`} instead of a row`,
    '',
    'Return an object.',
  )
