import type { Offset } from '../base/units.ts'

/** A run of offsets of one partition: `from` inclusive, `until` exclusive. The split that a streaming task reads. */
export interface OffsetRange {
  readonly topic: string
  readonly partition: number
  readonly from: Offset
  readonly until: Offset
}

/** A partition by name, as a key for maps: `plays/3`. */
export const partitionKey = (of: { readonly topic: string; readonly partition: number }): string =>
  `${of.topic}/${of.partition}`
