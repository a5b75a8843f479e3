import { present } from '../../base/assert.ts'
import { BEFORE_ALL_TIME, type EpochMs } from '../../base/units.ts'
import type { ColumnBatch } from '../../columnar/column-batch.ts'
import { columnBuilder } from '../../columnar/column-builder.ts'
import { compact, concat } from '../../columnar/gather.ts'
import { rowView } from '../../columnar/row-view.ts'
import { fieldIndex, type TableSchema, tableSchema } from '../../columnar/schema.ts'
import type { RedisViewSinkNode } from '../../pipeline/plan.ts'
import { keyOf, rowText } from './view-values.ts'

/**
 * Rows of a view as they are logged and sent: what they are found by, their text, their place in the top, and when they
 * go. They hold whole rows, never differences, so that applying them again changes nothing.
 */
export const VIEW_ROWS = tableSchema([
  { name: 'key', type: 'string', nullable: false },
  { name: 'text', type: 'string', nullable: false },
  { name: 'score', type: 'float64', nullable: true },
  { name: 'expiresAt', type: 'timestamp', nullable: true },
])

/** One of these rows as `rowView` shows it. */
export interface ViewRow {
  readonly key: string
  readonly text: string
  readonly score: number | null
  readonly expiresAt: number | null
}

const positions = (batch: ColumnBatch): Iterable<number> =>
  batch.selection ?? Array.from({ length: batch.length }, (_, row) => row)

/** What a batch's rows change in a view: of rows with the same key the last one counts. */
export const viewRows = (
  node: RedisViewSinkNode,
  batches: readonly ColumnBatch[],
  expiresAt: EpochMs | null,
): ColumnBatch => {
  const builders = VIEW_ROWS.fields.map(field => columnBuilder(field, 64))
  let length = 0
  for (const batch of batches) {
    const { fields } = batch.schema
    const keys = node.key.map(name => present(fields[fieldIndex(batch.schema, name)], name))
    const view = rowView(batch.schema)
    view.bind(batch)
    for (const position of positions(batch)) {
      view.moveTo(position)
      const { row } = view
      const score = node.top === null ? null : scoreOf(row[node.top.by])
      const values = [keyOf(keys, row), rowText(node.format, fields, row), score, expiresAt]
      for (const [at, builder] of builders.entries()) builder.append(values[at])
      length += 1
    }
  }
  const columns = builders.map(builder => builder.finish())
  return lastOfEachKey([{ schema: VIEW_ROWS, columns, length, selection: null, origin: null }], BEFORE_ALL_TIME)
}

/** Redis ranks by float64: an int64 beyond 2^53 is ranked by the nearest. */
const scoreOf = (value: unknown): number | null => {
  const score = typeof value === 'bigint' ? Number(value) : (value as number | null)
  return score === null || Number.isNaN(score) ? null : score
}

/** Puts changes, in their order, into one that does the same; rows that have expired by `now` are left out. */
export const lastOfEachKey = (changes: readonly ColumnBatch[], now: EpochMs): ColumnBatch => {
  const seen = new Set<string>()
  const parts: ColumnBatch[] = []
  for (const change of changes.toReversed()) {
    const view = viewRowReader(change)
    const kept: number[] = []
    for (const position of [...positions(change)].toReversed()) {
      const { key, expiresAt } = view(position)
      if (seen.has(key)) continue
      seen.add(key)
      if (expiresAt === null || expiresAt > now) kept.push(position)
    }
    parts.unshift(compact({ ...change, selection: Int32Array.from(kept.toReversed()) }))
  }
  return concat(VIEW_ROWS, parts)
}

/** Reads rows by their position. The row is a view: it means another row after the next call. */
export const viewRowReader = (rows: ColumnBatch): ((position: number) => ViewRow) => {
  const view = rowView(VIEW_ROWS as TableSchema)
  view.bind(rows)
  return position => {
    view.moveTo(position)
    return view.row as unknown as ViewRow
  }
}
