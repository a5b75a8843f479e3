import { MillraceError } from '../../base/errors.ts'
import { type BatchHeader, readHeader } from '../../kafka/batch-header.ts'
import type { AbortedTransaction } from '../../kafka/fetch-request.ts'
import type { PartitionName } from '../offset-range.ts'

/** Whole record batches that one fetch brought, and what is needed to read them. */
export interface FetchedBatches {
  readonly frame: Buffer
  readonly headers: readonly BatchHeader[]
  readonly aborted: readonly AbortedTransaction[]
  /** The first offset that was asked for, and the one to ask for next; equal where nothing came. */
  readonly from: number
  readonly next: number
}

/**
 * Finds the record batches in a fetched frame without looking at their records. The last one is usually cut off, and
 * is fetched again; so is one that can't be read, so that it stops only those who want it.
 * @throws CORRUPT_RECORD_BATCH, UNSUPPORTED_RECORD_FORMAT
 */
export const findBatches = (
  of: PartitionName,
  frame: Buffer,
  { start, end }: { readonly start: number; readonly end: number },
  aborted: readonly AbortedTransaction[],
  from: number,
): FetchedBatches => {
  const headers: BatchHeader[] = []
  let next = from
  for (let at = start; at < end; ) {
    const header = readHeader(frame, at, end)
    if ('bad' in header) {
      if (headers.length > 0) break
      // the broker always sends the first batch whole
      throw header.bad === 'magic' ? oldFormat(of, next, header.magic) : corrupt(of, next, 'its length is wrong')
    }
    at = header.end
    // a fetch begins with the batch that holds the offset, so that batch may also begin before it
    if (header.lastOffset < next) {
      if (headers.length > 0) throw corrupt(of, next, 'its offsets run backwards')
      continue
    }
    if (headers.length > 0 && header.baseOffset < next) throw corrupt(of, next, 'its offsets overlap')
    headers.push(header)
    next = header.lastOffset + 1
  }
  return { frame, headers, aborted, from, next }
}

/** The part of a fetch that lies from `from` on, as if it had been fetched alone. */
export const restOf = ({ headers, ...fetched }: FetchedBatches, from: number): FetchedBatches => {
  // which transactions were rolled back is followed from the beginning of a fetch
  const left = fetched.aborted.length > 0 ? headers : headers.filter(({ lastOffset }) => lastOffset >= from)
  const start = left[0]?.start ?? 0
  const moved = left.map(header => ({ ...header, start: header.start - start, end: header.end - start }))
  return { ...fetched, frame: fetched.frame.subarray(start, left.at(-1)?.end ?? start), headers: moved, from }
}

/** The bytes that hold offsets [from, until): of a batch that lies there partly, its part. */
export const bytesWithin = ({ headers }: FetchedBatches, from: number, until: number): number =>
  headers.reduce((bytes, { start, end, baseOffset, lastOffset }) => {
    const offsets = Math.min(until, lastOffset + 1) - Math.max(from, baseOffset)
    return bytes + (Math.max(0, offsets) / (lastOffset + 1 - baseOffset)) * (end - start)
  }, 0)

/** A record batch whose bytes are not what its producer wrote. */
export const corrupt = ({ topic, partition }: PartitionName, offset: number, why: string): MillraceError =>
  new MillraceError(
    'CORRUPT_RECORD_BATCH',
    `${topic}/${partition}: the record batch at offset ${offset} is corrupt: ${why}`,
    {
      remedy:
        'Check the disks of the broker that leads the partition (kafka-dump-log shows the batch). To go on without ' +
        'these records, delete them (kafka-delete-records) and start again with failOnDataLoss: false.',
      details: { topic, partition, offset },
    },
  )

const oldFormat = ({ topic, partition }: PartitionName, offset: number, magic: number): MillraceError =>
  new MillraceError(
    'UNSUPPORTED_RECORD_FORMAT',
    `${topic}/${partition}: records from offset ${offset} on are in message format ${magic}; only format 2 is read`,
    {
      remedy: 'Copy the topic with a current producer: format 2 is what Kafka writes since 0.11.',
      details: { topic, partition, offset, magic },
    },
  )
