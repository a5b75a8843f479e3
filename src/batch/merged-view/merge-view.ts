import { HOUR_MS, hourOf, hoursOf, type TimeRange } from '../../base/hours.ts'
import { type EpochMs, epochMs } from '../../base/units.ts'
import type { AggregateSpec } from '../../columnar/group-table.ts'
import { WINDOW_END, WINDOW_START } from '../../pipeline/plan.ts'
import type { ReadRow } from '../../sinks/view/read-row.ts'
import type { PublishedFile } from '../hour-record.ts'
import type { ServedView, ViewQuery } from './view-query.ts'

/** A batch result of one hour. */
export interface ClosedHour {
  readonly hour: EpochMs
  readonly generation: number
  readonly committedAt: EpochMs
  /** Its files, as the reader of batch rows takes them. */
  readonly files: readonly PublishedFile[]
}

/** Where the rows of an hour come from. `none`: neither layer has it (the view is away, or keeps rows for a shorter time). */
export type HourSource =
  | { readonly hour: EpochMs; readonly source: 'batch'; readonly generation: number; readonly computedAt: EpochMs }
  | { readonly hour: EpochMs; readonly source: 'live' | 'none' }

/**
 * The range that a query means: what it says, else from the hour that the watermark stands in (the oldest that is open)
 * to the end of the hour that the newest events may be in.
 */
export const rangeOf = (view: ServedView, query: ViewQuery, watermark: EpochMs | null, now: EpochMs): TimeRange => {
  const reached = watermark ?? now
  const newest = epochMs(reached + (view.branch.aggregation?.window?.delayMs ?? 0))
  const until = query.until ?? epochMs(Math.max(hourOf(newest) + HOUR_MS, (query.from ?? 0) + HOUR_MS))
  return { from: query.from ?? epochMs(Math.min(hourOf(reached), hourOf(until - 1))), until }
}

/**
 * Chooses the layer for each hour. An hour that the watermark has not left is open: the live view knows it best. A closed
 * one comes from its batch result where there is one, else from the live view, as long as that keeps it.
 */
export const sourcesOf = (
  range: TimeRange,
  closed: readonly ClosedHour[],
  live: { readonly watermark: EpochMs | null } | null,
): readonly HourSource[] =>
  hoursOf({ from: hourOf(range.from), until: range.until }).map(hour => {
    const open = live !== null && (live.watermark === null || hour + HOUR_MS > live.watermark)
    const result = closed.find(each => each.hour === hour)
    if (result === undefined || open) return { hour, source: live === null ? 'none' : 'live' }
    return { hour, source: 'batch', generation: result.generation, computedAt: result.committedAt }
  })

/** Rows in order of their window, then as they came. */
export const inOrder = (rows: readonly ReadRow[]): readonly ReadRow[] =>
  rows.toSorted((a, b) => Number(a[WINDOW_START] ?? 0) - Number(b[WINDOW_START] ?? 0))

/** The groups with the greatest values, each put together over all of its windows. Nulls come last. */
export const topGroups = (view: ServedView, rows: readonly ReadRow[], n: number): readonly ReadRow[] => {
  const { node, key, branch } = view
  const groups = new Map<string, ReadRow>()
  const columns = key.filter(({ name }) => name !== WINDOW_START)
  for (const row of rows) {
    const group = columns.map(({ name }) => String(row[name])).join('\u0000')
    const before = groups.get(group)
    groups.set(
      group,
      before === undefined ? withoutWindow(row) : sum(before, row, branch.aggregation?.aggregates ?? []),
    )
  }
  const by = node.top?.by ?? ''
  return [...groups.values()].toSorted((a, b) => descending(a[by], b[by])).slice(0, n)
}

const withoutWindow = (row: ReadRow): ReadRow =>
  Object.fromEntries(Object.entries(row).filter(([name]) => name !== WINDOW_START && name !== WINDOW_END))

const sum = (group: ReadRow, row: ReadRow, aggregates: readonly AggregateSpec[]): ReadRow => ({
  ...group,
  ...Object.fromEntries(aggregates.map(({ as, fn }) => [as, combine(fn, group[as], row[as])])),
})

const combine = (fn: AggregateSpec['fn'], a: unknown, b: unknown): unknown => {
  if (a === null || a === undefined) return b
  if (b === null || b === undefined) return a
  if (fn === 'count' || fn === 'sum') return typeof a === 'bigint' ? a + (b as bigint) : (a as number) + (b as number)
  const aIsGreater = (a as number) > (b as number)
  return aIsGreater === (fn === 'max') ? a : b
}

const descending = (a: unknown, b: unknown): number => {
  if (a === null || a === undefined) return b === null || b === undefined ? 0 : 1
  if (b === null || b === undefined) return -1
  return (a as number) < (b as number) ? 1 : (a as number) > (b as number) ? -1 : 0
}
