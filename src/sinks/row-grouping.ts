import { MillraceError } from '../base/errors.ts'
import type { ColumnBatch } from '../columnar/column-batch.ts'
import { fieldIndex, type TableSchema } from '../columnar/schema.ts'
import type { RowSet } from './row-set.ts'

/** Folder for rows without a value, as Hive names it and DuckDB reads it as null. */
export const NULL_PARTITION = '__HIVE_DEFAULT_PARTITION__'

/**
 * Numbers the rows of a batch by their folder: `groups[i]` for the i-th row that counts.
 * @returns the folder of each number
 */
export type RowGrouping = (batch: ColumnBatch, rows: RowSet, groups: Int32Array) => readonly string[]

/** The position of a column that makes folders. @throws INVALID_SCHEMA where there is none */
export const folderColumn = (schema: TableSchema, name: string): number => {
  const at = fieldIndex(schema, name)
  if (at >= 0) return at
  throw new MillraceError('INVALID_SCHEMA', `the table is partitioned by ${name}, which is not one of its columns`, {
    remedy: `Use one of: ${schema.fields.map(field => field.name).join(', ')}.`,
    details: { column: name },
  })
}
