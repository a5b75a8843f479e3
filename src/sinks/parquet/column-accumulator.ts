import type { Column } from '../../columnar/column.ts'
import type { RowSet } from '../row-set.ts'

/** A column that grows by rows of other columns, copied from memory to memory. */
export interface ColumnAccumulator<C extends Column = Column> {
  readonly length: number
  /** Bytes in use, without what was reserved ahead. */
  readonly byteSize: number
  append(column: Column, rows: RowSet): void
  /** What was appended, as a view that the next call makes invalid. */
  view(): C
  /** Forgets the rows and keeps the memory. */
  clear(): void
}
