import { assert } from '../../base/assert.ts'
import { utf8Bytes } from '../../base/text.ts'
import type { BinaryColumn, Column, Int32Column, Int64Column } from '../../columnar/column.ts'
import { isValid } from '../../columnar/column.ts'
import type { RowOrigin } from '../../columnar/column-batch.ts'
import { int64Words, readInt64 } from '../../columnar/int64-words.ts'
import type { RecordBatch } from '../../columnar/record-batch.ts'

/** Coordinates of landed rows as columns: what `land()` wrote. */
export interface Coordinates {
  readonly topic: Column
  readonly partition: Column
  readonly offset: Column
  /** `null` where nobody will ask. */
  readonly timestamp: Column | null
  readonly key: Column | null
  readonly headers: Column | null
}

/** Rows of one partition of the source among those of a file: all, or a selection. */
export interface PartitionRows {
  readonly partition: number
  readonly selection: Int32Array | null
}

/** Tells the rows of a topic apart by partition. Rows of other topics, which share the table, are left out. */
export const rowsByPartition = (
  { topic: topics, partition: partitions }: Coordinates,
  topic: string,
): readonly PartitionRows[] => {
  assert(topics.kind === 'string' && partitions.kind === 'int32', 'coordinates have the types that land() gives')
  const { length } = partitions
  const isOurs = sameText(topics, utf8Bytes(topic))
  const rows = new Map<number, number[]>()
  let before: number[] | null = null
  let last = Number.NaN
  for (let row = 0; row < length; row++) {
    if (!isOurs(row)) continue
    const partition = partitions.values[row] as number
    if (before === null || partition !== last) {
      before = rows.get(partition) ?? []
      rows.set(partition, before)
      last = partition
    }
    before.push(row)
  }
  return [...rows].map(([partition, positions]) => ({
    partition,
    selection: positions.length === length ? null : Int32Array.from(positions),
  }))
}

const sameText = ({ offsets, bytes }: BinaryColumn, text: Uint8Array) => {
  return (row: number): boolean => {
    const from = offsets[row] as number
    if ((offsets[row + 1] as number) - from !== text.length) return false
    for (let at = 0; at < text.length; at++) if (bytes[from + at] !== text[at]) return false
    return true
  }
}

/**
 * Records that stand for landed rows: their coordinates, without values. Stages name rows by them, and `land()` writes
 * them again.
 */
export const originOf = (coordinates: Coordinates, topic: string, partition: number): RowOrigin => {
  const { offset, timestamp, key, headers } = coordinates
  const count = offset.length
  const keys = texts(key, 0)
  const headerTexts = texts(headers, keys.bytes.length)
  const none = new Int32Array(count)
  const records: RecordBatch = {
    topic,
    partition,
    count,
    arena: joined(keys.bytes, headerTexts.bytes),
    offsets: numbers(offset),
    timestamps: timestamp === null ? new Float64Array(count).fill(-1) : numbers(timestamp),
    keyStart: keys.start ?? none,
    keyLength: keys.length ?? new Int32Array(count).fill(-1),
    valueStart: none,
    valueLength: new Int32Array(count).fill(-1),
    headersStart: headerTexts.start ?? none,
    headersLength: headerTexts.length?.map(length => Math.max(0, length)) ?? none,
    headersEncoding: 'json',
  }
  return { records, recordOf: Int32Array.from({ length: count }, (_, row) => row) }
}

/** -1 for nulls. */
const numbers = (column: Column): Float64Array => {
  const { values, length } = column as Int64Column | Int32Column
  assert(values instanceof BigInt64Array, 'offsets and timestamps have 64 bits')
  const words = int64Words(values)
  const result = new Float64Array(length)
  for (let row = 0; row < length; row++) result[row] = isValid(column, row) ? readInt64(words, row) : -1
  return result
}

const NO_BYTES = new Uint8Array(0)

/** Start and length of each text in an arena where the column's bytes begin at `base`. */
const texts = (column: Column | null, base: number) => {
  if (column === null) return { bytes: NO_BYTES, start: null, length: null }
  assert('bytes' in column, 'keys and headers are bytes')
  const start = new Int32Array(column.length)
  const length = new Int32Array(column.length)
  for (let row = 0; row < column.length; row++) {
    const from = column.offsets[row] as number
    start[row] = base + from
    length[row] = isValid(column, row) ? (column.offsets[row + 1] as number) - from : -1
  }
  return { bytes: column.bytes, start, length }
}

const joined = (a: Uint8Array, b: Uint8Array): Uint8Array => {
  if (b.length === 0) return a
  const bytes = new Uint8Array(a.length + b.length)
  bytes.set(a)
  bytes.set(b, a.length)
  return bytes
}
