import { type DurationMs, durationMs, type EpochMs } from '../base/units.ts'
import { partitionKey } from '../ingest/offset-range.ts'

/** How far the pipeline is behind the end of a partition. */
export interface PartitionLag {
  readonly topic: string
  readonly partition: number
  /** Rows that wait. */
  readonly rows: number
  /** How long the oldest row that waits has waited; 0 where none does. */
  readonly age: DurationMs
}

/** An offset and when it was known. */
export interface OffsetAt {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly at: EpochMs
}

/** What a partition held at some moment. `earliest` is unknown (`null`) where only the end was asked for. */
export interface EndsAt {
  readonly topic: string
  readonly partition: number
  readonly earliest: number | null
  readonly latest: number
  readonly at: EpochMs
}

interface Point {
  readonly at: number
  readonly end: number
}

interface Tracked {
  readonly topic: string
  readonly partition: number
  committed: number
  /** Whether its end was ever looked at: before that, nothing is known of what waits. */
  endKnown: boolean
  /** How the end of the partition grew, oldest first; both numbers rise. */
  points: Point[]
}

/** Ends that are remembered for each partition; beyond that, every other old one is forgotten. */
const MOST_POINTS = 128

/**
 * Turns offsets into time: a row was written when the end of its partition passed its offset, and that moment lies
 * between two looks at the end. Needs no timestamps of records, which producers may set as they like.
 *
 * A row that was there before the first look counts as written between `resumed` and that look.
 */
export class LagTracker {
  readonly #partitions = new Map<string, Tracked>()

  /** Where the pipeline goes on, and when it last read there. */
  resumed(positions: readonly OffsetAt[]): void {
    this.#partitions.clear()
    for (const { topic, partition, offset, at } of positions) {
      const tracked = { topic, partition, committed: offset, endKnown: false, points: [{ at, end: offset }] }
      this.#partitions.set(partitionKey({ topic, partition }), tracked)
    }
  }

  /** Rows below these offsets are done. */
  committed(positions: readonly OffsetAt[]): void {
    for (const { topic, partition, offset, at } of positions) {
      const tracked = this.#tracked({ topic, partition }, offset, at)
      tracked.committed = offset
      // one point at or below the committed offset is where the next row's segment begins
      const from = tracked.points.findLastIndex(({ end }) => end <= offset)
      if (from > 0) tracked.points = tracked.points.slice(from)
    }
  }

  /** Ends of partitions as they were at some moment. A partition that appeared since will be read from its beginning. */
  ends(positions: readonly EndsAt[]): void {
    for (const { topic, partition, earliest, latest, at } of positions) {
      const of = { topic, partition }
      if (earliest === null && !this.#partitions.has(partitionKey(of))) continue
      const tracked = this.#tracked(of, earliest ?? latest, at)
      tracked.endKnown = true
      const last = tracked.points.at(-1)
      if (last !== undefined && (at < last.at || latest < last.end)) continue
      // of a time without growth its beginning and its end count
      if (last?.end === latest && tracked.points.at(-2)?.end === latest) tracked.points.pop()
      tracked.points.push({ at, end: latest })
      if (tracked.points.length > MOST_POINTS) tracked.points = thinned(tracked.points)
    }
  }

  /** The lag now of each partition whose end was looked at. */
  lag(now: EpochMs): readonly PartitionLag[] {
    const known = [...this.#partitions.values()].filter(({ endKnown }) => endKnown)
    return known.map(({ topic, partition, committed, points }) => {
      const rows = Math.max(0, (points.at(-1)?.end ?? committed) - committed)
      const age = durationMs(rows === 0 ? 0 : Math.max(0, now - writtenAt(points, committed)))
      return { topic, partition, rows, age }
    })
  }

  #tracked(of: Pick<OffsetAt, 'topic' | 'partition'>, offset: number, at: EpochMs): Tracked {
    const key = partitionKey(of)
    const known = this.#partitions.get(key)
    if (known !== undefined) return known
    const fresh = { ...of, committed: offset, endKnown: false, points: [{ at, end: offset }] }
    this.#partitions.set(key, fresh)
    return fresh
  }
}

/** When the end passed `offset`, taking the end to grow evenly between two looks. */
const writtenAt = (points: readonly Point[], offset: number): number => {
  const after = points.findIndex(({ end }) => end > offset)
  const [from, to] = [points[after - 1], points[after]]
  if (to === undefined) return Infinity
  if (from === undefined) return to.at
  return from.at + ((offset - from.end) / (to.end - from.end)) * (to.at - from.at)
}

const thinned = (points: readonly Point[]): Point[] =>
  points.filter((_, at) => at === 0 || at >= points.length / 2 || at % 2 === 0)
