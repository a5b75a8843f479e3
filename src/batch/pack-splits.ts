import { offset } from '../base/units.ts'
import type { SplitObject } from '../ingest/object-split.ts'
import type { OffsetRange } from '../ingest/offset-range.ts'

/** How landed files are shared out among tasks; names and meaning as in Spark. */
export interface SplitLimits {
  /** A task reads about so many bytes (Spark's `maxPartitionBytes`). */
  readonly maxSplitBytes: number
  /** What opening a file costs, as bytes that could be read meanwhile (Spark's `openCostInBytes`). */
  readonly openCostBytes: number
}

/** Packs files into tasks in their order, so that small ones share a task. */
export const packObjects = (
  objects: readonly SplitObject[],
  { maxSplitBytes, openCostBytes }: SplitLimits,
): readonly (readonly SplitObject[])[] => {
  const packs: SplitObject[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const object of objects) {
    const cost = object.size + openCostBytes
    const last = packs.at(-1)
    if (last === undefined || bytes + cost > maxSplitBytes) {
      packs.push([object])
      bytes = cost
    } else {
      last.push(object)
      bytes += cost
    }
  }
  return packs
}

/** Cuts ranges into pieces of at most `maxRows` offsets. */
export const cutRanges = (ranges: readonly OffsetRange[], maxRows: number): readonly OffsetRange[] =>
  ranges.flatMap(range =>
    Array.from({ length: Math.ceil((range.until - range.from) / maxRows) }, (_, at) => ({
      ...range,
      from: offset(range.from + at * maxRows),
      until: offset(Math.min(range.until, range.from + (at + 1) * maxRows)),
    })),
  )
