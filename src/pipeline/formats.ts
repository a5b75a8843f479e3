import { tableSchema } from '../columnar/schema.ts'
import { checkOptions, oneOf, positive } from './check-options.ts'
import type { FormatNode } from './plan.ts'
import type { Columns, Schema } from './schema.ts'

declare const columns: unique symbol

/** How a record's value becomes a row. */
export interface Format<C extends Columns> {
  readonly node: FormatNode
  readonly [columns]?: C
}

export interface FormatOptions {
  /** Values longer than this are dead letters. Default 16 MiB. */
  readonly maxRecordBytes?: number
}

export interface JsonOptions extends FormatOptions {
  /**
   * `row` (default): a value that is not valid JSON as a whole, or lacks a column of the schema, is a dead letter.
   * `fields`: parsing stops when all columns are found that something reads, and does not look at the rest; faster.
   */
  readonly validate?: 'row' | 'fields'
}

const DEFAULT_MAX_RECORD_BYTES = 16 * 1024 * 1024

const maxRecordBytes = (options: FormatOptions): number =>
  positive(options.maxRecordBytes, 'maxRecordBytes') ?? DEFAULT_MAX_RECORD_BYTES

/** JSON objects, of which the columns of the schema are read. @throws INVALID_PIPELINE */
export const json = <C extends Columns>(schema: Schema<C>, options: JsonOptions = {}): Format<C> => {
  checkOptions('json()', options, { maxRecordBytes: true, validate: true })
  return {
    node: {
      kind: 'json',
      schema: tableSchema(schema.fields),
      validate: oneOf(options.validate ?? 'row', ['row', 'fields'], 'validate'),
      maxRecordBytes: maxRecordBytes(options),
    },
  }
}

/** UTF-8 text: the whole value in one column named `value`. */
export const text = (options: FormatOptions = {}): Format<{ readonly value: 'string' }> => ({
  node: wholeValue('text', options),
})

/** The whole value, undecoded, in one column named `value`. */
export const bytes = (options: FormatOptions = {}): Format<{ readonly value: 'bytes' }> => ({
  node: wholeValue('bytes', options),
})

const wholeValue = (kind: 'text' | 'bytes', options: FormatOptions): FormatNode => {
  checkOptions(`${kind}()`, options, { maxRecordBytes: true })
  return {
    kind,
    schema: tableSchema([{ name: 'value', type: kind === 'text' ? 'string' : 'bytes', nullable: false }]),
    maxRecordBytes: maxRecordBytes(options),
  }
}
