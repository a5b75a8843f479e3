import type { Column } from './column.ts'
import type { ColumnBatch } from './column-batch.ts'

/** Bytes that the columns of a batch take, selected rows or not. */
export const batchBytes = ({ columns }: ColumnBatch): number =>
  columns.reduce((bytes, column) => bytes + columnBytes(column), 0)

const columnBytes = (column: Column): number => {
  const validity = column.validity?.byteLength ?? 0
  if (column.kind === 'list') return validity + column.offsets.byteLength + columnBytes(column.child)
  if ('bytes' in column) return validity + column.offsets.byteLength + column.bytes.byteLength
  return validity + column.values.byteLength
}
