import { MillraceError } from '../base/errors.ts'
import type { ColumnBatch } from '../columnar/column-batch.ts'
import { type TableSchema, tableSchema } from '../columnar/schema.ts'
import type { PartitionBy } from '../pipeline/plan.ts'
import { hourGrouping } from './hour-partitions.ts'
import type { GroupKernels, RowGrouping } from './row-grouping.ts'
import { denseRows, type RowSet, rowSetSize, selectedRows } from './row-set.ts'
import { valueGrouping } from './value-partitions.ts'

/** Rows of one batch that belong into one folder, in the order of the batch. */
export interface PartitionSlice {
  /** `date=2026-01-15/hour=10`, `country=DE`, or ''. */
  readonly partition: string
  readonly rows: RowSet
}

/** Sorts rows into the folders of a table. */
export interface Partitioner {
  /** Columns that the files hold, as positions in the table's schema: those chosen as folders are left out. */
  readonly fileColumns: readonly number[]
  /** Schema of the files. */
  readonly fileSchema: TableSchema
  /** Slices in the order in which their first rows come; none where no row counts. */
  split(batch: ColumnBatch): readonly PartitionSlice[]
}

/** @throws INVALID_SCHEMA where the columns can't make folders, or readers would take a folder for a column */
export const partitioner = (schema: TableSchema, partitionBy: PartitionBy, kernels: GroupKernels): Partitioner => {
  const grouping = groupingOf(schema, partitionBy, kernels)
  const folders = partitionBy.kind === 'columns' ? partitionBy.columns : []
  const fileColumns = schema.fields.flatMap((field, at) => (folders.includes(field.name) ? [] : [at]))
  if (fileColumns.length === 0) {
    throw new MillraceError('INVALID_SCHEMA', 'every column of the table is a folder, none is left for its files', {
      remedy: 'Partition by fewer columns.',
    })
  }
  let groups = new Int32Array(0)
  return {
    fileColumns,
    fileSchema: tableSchema(schema.fields.filter((_, at) => fileColumns.includes(at))),
    split(batch) {
      const rows = selectedRows(batch.selection, batch.length)
      const count = rowSetSize(rows)
      if (count === 0) return []
      if (grouping === null) return [{ partition: '', rows }]
      if (groups.length < count) groups = new Int32Array(count)
      return sliceByGroup(rows, groups, grouping(batch, groups))
    },
  }
}

const groupingOf = (schema: TableSchema, partitionBy: PartitionBy, kernels: GroupKernels): RowGrouping | null => {
  switch (partitionBy.kind) {
    case 'none':
      return null
    case 'hour':
      return hourGrouping(schema, partitionBy.column)
    case 'columns':
      return valueGrouping(schema, partitionBy.columns, kernels)
  }
}

/** Counting sort: one list of positions for each group, order kept. */
const sliceByGroup = (rows: RowSet, groups: Int32Array, partitions: readonly string[]): readonly PartitionSlice[] => {
  const [only] = partitions
  if (partitions.length === 1 && only !== undefined) return [{ partition: only, rows }]
  const count = rowSetSize(rows)
  const ends = new Int32Array(partitions.length + 1)
  for (let i = 0; i < count; i++) {
    const next = (groups[i] as number) + 1
    ends[next] = (ends[next] as number) + 1
  }
  for (let group = 1; group < ends.length; group++) {
    ends[group] = (ends[group] as number) + (ends[group - 1] as number)
  }
  const sorted = new Int32Array(count)
  const next = ends.slice()
  for (let i = 0; i < count; i++) {
    const group = groups[i] as number
    const at = next[group] as number
    next[group] = at + 1
    sorted[at] = rows.kind === 'range' ? rows.from + i : (rows.rows[i] as number)
  }
  return partitions.map((partition, group) => ({
    partition,
    rows: denseRows(sorted.subarray(ends[group] as number, ends[group + 1] as number)),
  }))
}
