import type { GroupSpec } from '../columnar/group-table.ts'
import { type TableSchema, tableSchema } from '../columnar/schema.ts'
import { type AggregationNode, WINDOW_START } from '../pipeline/plan.ts'

/**
 * Columns that a task folds into its group table: the window's start (where there is a window), then the group
 * columns and the columns that aggregates read. Tasks and the driver's state make their tables from the same schema.
 */
export const taskInput = ({ window, keys, aggregates, input }: AggregationNode): TableSchema => {
  const needed = new Set([...keys, ...aggregates.flatMap(({ column }) => (column === null ? [] : [column]))])
  const fields = input.fields.filter(field => needed.has(field.name))
  if (window === null) return tableSchema(fields)
  const rest = fields.filter(field => field.name !== WINDOW_START)
  return tableSchema([{ name: WINDOW_START, type: 'timestamp', nullable: false }, ...rest])
}

/** What a task groups by and computes: the window is the first of the keys. */
export const taskSpec = ({ window, keys, aggregates }: AggregationNode): GroupSpec => ({
  keys: window === null ? keys : [WINDOW_START, ...keys],
  aggregates,
})
