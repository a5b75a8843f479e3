import { MillraceError } from '../base/errors.ts'
import { type Offset, offset } from '../base/units.ts'
import { findByPartition, type OffsetRange } from '../ingest/offset-range.ts'
import type { PartitionBounds } from '../ingest/source.ts'
import type { Discrepancy } from './plan-batch.ts'

/** A planned range whose topic ends within it or before it. */
export interface CutRange extends OffsetRange {
  readonly latest: Offset
}

/** What a source still holds of ranges that were planned, and what it does not: deleted at their beginning, cut at their end. */
export const rangesLeft = (
  planned: readonly OffsetRange[],
  bounds: readonly PartitionBounds[],
): {
  readonly ranges: readonly OffsetRange[]
  readonly deleted: readonly Discrepancy[]
  readonly cut: readonly CutRange[]
} => {
  const boundOf = findByPartition(bounds)
  const deleted: Discrepancy[] = []
  const cut: CutRange[] = []
  const ranges = planned.map(range => {
    const bound = boundOf(range)
    const { from, until } = range
    if (bound === undefined || from === until) return range
    const { earliest, latest } = bound
    if (from < earliest)
      deleted.push({ ...range, committed: from, earliest: offset(Math.min(earliest, until)), latest })
    if (until <= latest) return range
    cut.push({ ...range, latest })
    return { ...range, until: offset(Math.max(from, latest)) }
  })
  return { ranges, deleted, cut }
}

/** A batch was planned, and its topic lost its end before the batch was read. */
export const plannedRangeCut = ({ topic, partition, from, until, latest }: CutRange): MillraceError =>
  new MillraceError(
    'DATA_LOST',
    `${topic}/${partition}: offsets ${from} to ${until - 1} are planned, but the topic ends at ${latest}`,
    {
      remedy:
        'The topic was truncated or made anew. Accept the loss: set failOnDataLoss: false on the source, and what is left ' +
        'of the batch is read; or start anew with --new-checkpoint.',
      details: { topic, partition, from, until, latest },
    },
  )
