import { MillraceError } from '../base/errors.ts'
import { offset } from '../base/units.ts'
import type { PartitionBounds } from '../ingest/source.ts'

/** A record as it lies in a partition. */
export interface SimRecord {
  readonly offset: number
  readonly timestamp: number
  readonly value: Uint8Array
}

/** One partition: records by offset, with gaps; `end` is the last stable offset. */
export interface SimPartition {
  /** The first offset that still exists. */
  earliest: number
  end: number
  readonly records: SimRecord[]
}

/** A topic in memory. Every method is one instant. Compaction and aborted transactions are gaps from the beginning. */
export class Topic {
  readonly name: string
  readonly partitions: SimPartition[] = []

  constructor(name: string, partitions: number) {
    this.name = name
    for (let at = 0; at < partitions; at += 1) this.addPartition()
  }

  addPartition(): void {
    this.partitions.push({ earliest: 0, end: 0, records: [] })
  }

  partition(number: number): SimPartition {
    const found = this.partitions[number]
    if (found !== undefined) return found
    throw new MillraceError('LEADER_CHANGED', `simulated: partition ${number} is not known`, { remedy: 'Ask again.' })
  }

  /** Appends a record behind `gap` offsets that hold nothing. */
  append(partition: number, timestamp: number, gap: number, value: (offset: number) => Uint8Array): void {
    const to = this.partition(partition)
    const at = to.end + gap
    to.records.push({ offset: at, timestamp, value: value(at) })
    to.end = at + 1
  }

  /** Appends offsets that hold nothing: a control record, an aborted transaction. */
  appendGap(partition: number, offsets: number): void {
    this.partition(partition).end += offsets
  }

  /** What retention does: everything before `earliest` is gone. */
  deleteBefore(partition: number, earliest: number): void {
    const of = this.partition(partition)
    of.earliest = Math.max(of.earliest, Math.min(earliest, of.end))
  }

  /** What an unclean change of leaders does: nobody can read from `end` on any more. Auditors still know what was there. */
  truncate(partition: number, end: number): void {
    const of = this.partition(partition)
    of.end = Math.max(of.earliest, Math.min(of.end, end))
  }

  /** @param lag how many offsets at the end the leader does not know yet */
  bounds(lag: (partition: number) => number): readonly PartitionBounds[] {
    return this.partitions.map(({ earliest, end }, partition) => ({
      topic: this.name,
      partition,
      earliest: offset(earliest),
      latest: offset(Math.max(earliest, end - lag(partition))),
    }))
  }

  /** Records in `[from, until)`, whether retention has deleted them since or not. */
  recordsIn(partition: number, from: number, until: number): readonly SimRecord[] {
    const { records } = this.partition(partition)
    return records.slice(firstAt(records, from), firstAt(records, until))
  }

  /** Offsets over all partitions. */
  get size(): number {
    return this.partitions.reduce((sum, { end }) => sum + end, 0)
  }
}

/** Position of the first record at `wanted` or later. */
const firstAt = (records: readonly SimRecord[], wanted: number): number => {
  let low = 0
  let high = records.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((records[middle] as SimRecord).offset < wanted) low = middle + 1
    else high = middle
  }
  return low
}
