import { MillraceError } from '../base/errors.ts'
import { type DurationMs, type EpochMs, type Offset, offset } from '../base/units.ts'
import type { PartitionProgress } from '../checkpoint/entries.ts'
import { findByPartition, type OffsetRange, type PartitionName, partitionKey } from '../ingest/offset-range.ts'
import type { PartitionBounds, PartitionOffset } from '../ingest/source.ts'
import { advanceWatermark, isIdle } from './watermark.ts'

/** Where the pipeline stands and what its source holds: everything a plan is made from. */
export interface Position {
  readonly partitions: readonly PartitionProgress[]
  /** Watermark of each branch as of the last batch. */
  readonly watermarks: readonly EpochMs[]
}

/** One partition with what waits in it. */
export interface Backlog {
  readonly topic: string
  readonly partition: number
  readonly from: Offset
  readonly latest: Offset
}

export interface BacklogOptions {
  readonly failOnDataLoss: boolean
  /** Where the source ends for this run; `null` for no end. */
  readonly ending: ReadonlyMap<string, Offset> | null
}

/** What the source no longer holds although it was never read, or never held although the checkpoint says so. */
export interface Discrepancy {
  readonly topic: string
  readonly partition: number
  /** The offset that is committed, or the end that a run was to read to. */
  readonly committed: Offset
  readonly earliest: Offset
  readonly latest: Offset
}

/**
 * Takes new partitions in: each starts at offset 0, as rows written before the pipeline noticed it count as well, also those
 * that retention has deleted since. Known ones keep their place. `now` is when a new partition begins to be waited for.
 */
export const admitPartitions = (
  known: readonly PartitionProgress[],
  bounds: readonly PartitionBounds[],
  branches: number,
  now: EpochMs,
): readonly PartitionProgress[] => {
  const have = new Set(known.map(partitionKey))
  const added = bounds
    .filter(bound => !have.has(partitionKey(bound)))
    .map(({ topic, partition }) => fresh({ topic, partition, offset: offset(0) }, branches, now))
  return added.length === 0 ? known : [...known, ...added].toSorted(byPartition)
}

/** A partition of which nothing was read yet. */
export const fresh = (start: PartitionOffset, branches: number, now: EpochMs): PartitionProgress => ({
  topic: start.topic,
  partition: start.partition,
  offset: start.offset,
  maxEventTimes: Array.from({ length: branches }, () => null),
  lastRowsAt: now,
})

const byPartition = (a: PartitionName, b: PartitionName): number =>
  a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition

/**
 * What waits in each partition. Offsets that retention deleted before they were read stop the pipeline, or are skipped
 * where the user allows it. @throws DATA_LOST
 */
export const backlogOf = (
  partitions: readonly PartitionProgress[],
  bounds: readonly PartitionBounds[],
  options: BacklogOptions,
): {
  readonly backlog: readonly Backlog[]
  readonly skipped: readonly Discrepancy[]
  readonly ahead: readonly Discrepancy[]
} => {
  const boundOf = findByPartition(bounds)
  const backlog: Backlog[] = []
  const skipped: Discrepancy[] = []
  const ahead: Discrepancy[] = []
  for (const { topic, partition, offset: committed } of partitions) {
    const bound = boundOf({ topic, partition })
    const earliest = bound?.earliest ?? committed
    const latest = bound?.latest ?? committed
    const discrepancy: Discrepancy = { topic, partition, committed, earliest, latest }
    if (committed < earliest) {
      if (options.failOnDataLoss) throw dataLost(discrepancy)
      skipped.push(discrepancy)
    }
    const from = Math.max(committed, earliest)
    const ending = options.ending === null ? latest : (options.ending.get(partitionKey({ topic, partition })) ?? from)
    // also an end that the run has seen and that is gone: it would be waited for for ever
    const seen = Math.max(committed, ending)
    if (seen > latest) ahead.push({ ...discrepancy, committed: offset(seen) })
    const end = Math.min(latest, ending)
    backlog.push({ topic, partition, from: offset(from), latest: offset(Math.max(from, end)) })
  }
  return { backlog, skipped, ahead }
}

/** Offsets that retention deleted before they were read. */
export const dataLost = ({ topic, partition, committed, earliest }: Discrepancy): MillraceError =>
  new MillraceError(
    'DATA_LOST',
    `${topic}/${partition}: offsets ${committed} to ${earliest - 1} were deleted before they were read`,
    {
      remedy:
        'Restore the data and start again, or accept the loss: set failOnDataLoss: false on the source, ' +
        'or start anew with --reset-offsets.',
      details: { topic, partition, committed, earliest },
    },
  )

/** A checkpoint that is ahead of its topic for longer than a change of leaders takes: the topic lost its end. */
export const topicTruncated = ({ topic, partition, committed, latest }: Discrepancy): MillraceError =>
  new MillraceError(
    'DATA_LOST',
    `${topic}/${partition}: the topic reached offset ${committed}, and now ends at ${latest}`,
    {
      remedy: 'The topic was truncated or made anew. Start anew with --reset-offsets once you know what was lost.',
      details: { topic, partition, committed, latest },
    },
  )

/** Watermark of each branch for the next batch. `null` delays belong to branches without windows. */
export const planWatermarks = (
  position: Position,
  backlog: readonly Backlog[],
  delays: readonly (DurationMs | null)[],
  idleTimeout: DurationMs,
  now: EpochMs,
): readonly EpochMs[] => {
  const lagOf = new Map(backlog.map(each => [partitionKey(each), each.latest - each.from]))
  return position.watermarks.map((previous, branch) => {
    const delay = delays[branch]
    if (delay === null || delay === undefined) return previous
    const clocks = position.partitions.map(partition => ({
      maxEventTime: partition.maxEventTimes[branch] ?? null,
      idle: isIdle(lagOf.get(partitionKey(partition)) ?? 0, partition.lastRowsAt, now, idleTimeout),
    }))
    return advanceWatermark(previous, clocks, delay)
  })
}

/**
 * Ranges that take each partition to its element of `untils`, in order of partition. Empty ones are left out, except in the
 * first plan: that one fixes where every partition starts, also for a source told to start at its latest offset.
 */
export const rangesOf = (
  backlog: readonly Backlog[],
  untils: readonly Offset[],
  first: boolean,
): readonly OffsetRange[] =>
  backlog.flatMap(({ topic, partition, from }, at) => {
    const until = untils[at] ?? from
    return first || until > from ? [{ topic, partition, from, until }] : []
  })

/** Where every partition stands after a batch. */
export const advancePartitions = (
  partitions: readonly PartitionProgress[],
  ranges: readonly OffsetRange[],
  maxEventTimes: ReadonlyMap<string, readonly (EpochMs | null)[]>,
  now: EpochMs,
): readonly PartitionProgress[] => {
  const rangeOf = findByPartition(ranges)
  return partitions.map(partition => {
    const until = rangeOf(partition)?.until
    if (until === undefined) return partition
    const seen = maxEventTimes.get(partitionKey(partition)) ?? []
    return {
      ...partition,
      offset: until,
      maxEventTimes: partition.maxEventTimes.map((before, branch) => laterOf(before, seen[branch] ?? null)),
      lastRowsAt: now,
    }
  })
}

/** The later of two event times, of which there may be none. */
const laterOf = (a: EpochMs | null, b: EpochMs | null): EpochMs | null => (a === null ? b : b === null || a > b ? a : b)
