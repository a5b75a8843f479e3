import { HEADER_BYTES } from '../../kafka/batch-header.ts'
import type { PublishedMessages } from '../message-publisher.ts'
import { partitionOfKey } from './murmur2.ts'
import { MessageIds, RECORD_OVERHEAD_BYTES, RecordBatchBuilder } from './record-batch-builder.ts'

/** Longest id: names of pipeline and sink have at most 100 and 210 characters, three numbers at most 16. */
const MAX_ID_BYTES = 100 + 210 + 3 * 16 + 4
/** Messages without a key go to one partition in runs of so many. */
const RUN_LENGTH = 512

/** Key and value of the largest message that fits into a request, alone. */
export const maxMessageBytes = (maxRequestBytes: number): number =>
  Math.max(0, maxRequestBytes - HEADER_BYTES - RECORD_OVERHEAD_BYTES - MAX_ID_BYTES)

export interface CuttingOptions {
  readonly partitions: number
  /** Bytes of a request, before they are compressed; no batch in it is larger. */
  readonly maxRequestBytes: number
  /** Of all records. */
  readonly timestamp: number
}

/** The records of a request by partition. */
export type RecordsByPartition = Map<number, RecordBatchBuilder>

/**
 * Cuts messages into requests. A key decides on the partition; messages without one are spread the same way each time.
 */
export function* cutRequests(
  { messages, firstIndex, idPrefix, batchId }: PublishedMessages,
  { partitions, maxRequestBytes, timestamp }: CuttingOptions,
): Generator<RecordsByPartition> {
  const ids = new MessageIds(idPrefix)
  let request: RecordsByPartition = new Map()
  let size = HEADER_BYTES
  for (let index = firstIndex; messages.next(); index += 1) {
    const { bytes, keyStart, keyEnd, valueStart, valueEnd } = messages
    const more = RECORD_OVERHEAD_BYTES + ids.bytes(index) + lengthOf(keyStart, keyEnd) + lengthOf(valueStart, valueEnd)
    if (request.size > 0 && size + more > maxRequestBytes) {
      yield request
      request = new Map()
      size = HEADER_BYTES
    }
    const partition =
      keyStart < 0
        ? (batchId + Math.floor(index / RUN_LENGTH)) % partitions
        : partitionOfKey(bytes, keyStart, keyEnd, partitions)
    let records = request.get(partition)
    if (records === undefined) request.set(partition, (records = new RecordBatchBuilder(timestamp)))
    records.add(messages, ids, index)
    size += more
  }
  if (request.size > 0) yield request
}

/** Nothing where it is null. */
const lengthOf = (start: number, end: number): number => (start < 0 ? 0 : end - start)
