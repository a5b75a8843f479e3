import { MillraceError } from '../base/errors.ts'
import type { ColumnBatch } from '../columnar/column-batch.ts'
import type { Kernels } from '../columnar/kernels.ts'
import { fieldIndex, type TableSchema } from '../columnar/schema.ts'

/** Folder for rows without a value, as Hive names it and DuckDB reads it as null. */
export const NULL_PARTITION = '__HIVE_DEFAULT_PARTITION__'

/**
 * Numbers the rows of a batch by their folder: `groups[i]` for the i-th row that counts.
 * @returns the folder of each number
 */
export type RowGrouping = (batch: ColumnBatch, groups: Int32Array) => readonly string[]

/** The kernels that number rows by their values. */
export type GroupKernels = Pick<Kernels, 'groupTable'>

/** The position of a column that makes folders. @throws INVALID_SCHEMA where there is none */
export const folderColumn = (schema: TableSchema, name: string): number => {
  const at = fieldIndex(schema, name)
  if (at >= 0) return at
  throw new MillraceError('INVALID_SCHEMA', `the table is partitioned by ${name}, which is not one of its columns`, {
    remedy: `Use one of: ${schema.fields.map(field => field.name).join(', ')}.`,
    details: { column: name },
  })
}
