import type { RecordBatch } from '../columnar/record-batch.ts'
import type { SimRecord } from './topic.ts'

/** Records as a reader hands them out: one arena and positions in it. */
export const recordBatch = (topic: string, partition: number, records: readonly SimRecord[]): RecordBatch => {
  const count = records.length
  const arena = new Uint8Array(records.reduce((bytes, { value }) => bytes + value.length, 0))
  const batch = {
    topic,
    partition,
    count,
    arena,
    offsets: Float64Array.from(records, record => record.offset),
    timestamps: Float64Array.from(records, record => record.timestamp),
    keyStart: new Int32Array(count),
    keyLength: new Int32Array(count).fill(-1),
    valueStart: new Int32Array(count),
    valueLength: Int32Array.from(records, record => record.value.length),
    headersStart: new Int32Array(count),
    headersLength: new Int32Array(count),
  }
  let at = 0
  for (const [row, { value }] of records.entries()) {
    batch.valueStart[row] = at
    arena.set(value, at)
    at += value.length
  }
  return batch
}
