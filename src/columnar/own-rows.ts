import type { Column } from './column.ts'
import type { ColumnBatch } from './column-batch.ts'
import { compact } from './gather.ts'

/** The selected rows of a batch, dense, in memory that nobody else writes to, without origin. */
export const ownRows = (batch: ColumnBatch): ColumnBatch => {
  const isDense = batch.selection === null
  const { schema, columns, length } = compact(batch)
  return { schema, columns: isDense ? columns.map(ownColumn) : columns, length, selection: null, origin: null }
}

const ownColumn = <C extends Column>(column: C): C => {
  const validity = column.validity?.slice() ?? null
  if (column.kind === 'list') {
    return { ...column, validity, offsets: column.offsets.slice(), child: ownColumn(column.child) }
  }
  if ('bytes' in column) return { ...column, validity, offsets: column.offsets.slice(), bytes: column.bytes.slice() }
  return { ...column, validity, values: column.values.slice() }
}
