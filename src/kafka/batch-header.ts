import { crc32c } from '@node-rs/crc32'
import type { ProducerIdentity } from './produce-requests.ts'

/** Fields of a Kafka record batch (message format 2) by their position from its first byte. */
const AT = {
  baseOffset: 0,
  batchLength: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
} as const

/** Bytes before the records. */
export const HEADER_BYTES = 61
/** Bytes that the length of a batch does not count: base offset and the length itself. */
const BEFORE_LENGTH = 12
const MAGIC = 2

export interface BatchHeader {
  /** Of the first byte of the batch, in the fetched frame. */
  readonly start: number
  readonly end: number
  readonly baseOffset: number
  /** Offset of the last record, also where compaction has taken that record away. */
  readonly lastOffset: number
  readonly crc: number
  readonly codec: number
  readonly transactional: boolean
  readonly control: boolean
  readonly appendTime: boolean
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  readonly producerId: number
  readonly recordCount: number
}

/** Where the part of a batch begins that its checksum covers. */
export const checksummedFrom = (header: BatchHeader): number => header.start + AT.attributes

/** What is wrong with a batch that can't be read. */
export type BadHeader =
  | { readonly bad: 'cut off' }
  | { readonly bad: 'length' }
  | { readonly bad: 'magic'; readonly magic: number }

/** Reads the header at `start` of record batches that end at `end`. */
export const readHeader = (frame: Buffer, start: number, end: number): BatchHeader | BadHeader => {
  if (start + HEADER_BYTES > end) return { bad: 'cut off' }
  const magic = frame.readInt8(start + AT.magic)
  if (magic !== MAGIC) return { bad: 'magic', magic }
  const length = frame.readInt32BE(start + AT.batchLength)
  if (length < HEADER_BYTES - BEFORE_LENGTH) return { bad: 'length' }
  const batchEnd = start + BEFORE_LENGTH + length
  if (batchEnd > end) return { bad: 'cut off' }
  const attributes = frame.readInt16BE(start + AT.attributes)
  const baseOffset = int64(frame, start + AT.baseOffset)
  const lastOffsetDelta = frame.readInt32BE(start + AT.lastOffsetDelta)
  if (baseOffset < 0 || lastOffsetDelta < 0) return { bad: 'length' }
  return {
    start,
    end: batchEnd,
    baseOffset,
    lastOffset: baseOffset + lastOffsetDelta,
    crc: frame.readUInt32BE(start + AT.crc),
    codec: attributes & 0b111,
    appendTime: (attributes & 0b1000) !== 0,
    transactional: (attributes & 0b1_0000) !== 0,
    control: (attributes & 0b10_0000) !== 0,
    baseTimestamp: int64(frame, start + AT.baseTimestamp),
    maxTimestamp: int64(frame, start + AT.maxTimestamp),
    producerId: int64(frame, start + AT.producerId),
    recordCount: frame.readInt32BE(start + AT.recordCount),
  }
}

/** What a producer says of a batch. */
export interface ProducedBatch {
  readonly codec: number
  /** Of all its records. */
  readonly timestamp: number
  readonly producer: ProducerIdentity
  /** Place of the first record in the sequence of the producer and the partition. */
  readonly sequence: number
  readonly recordCount: number
}

/** Fills in the header before the records that `batch` ends with, checksum included. */
export const writeHeader = (batch: Buffer, produced: ProducedBatch): void => {
  const { codec, timestamp, producer, sequence, recordCount } = produced
  batch.writeBigInt64BE(0n, AT.baseOffset)
  batch.writeInt32BE(batch.length - BEFORE_LENGTH, AT.batchLength)
  // the leader's to know
  batch.writeInt32BE(-1, AT.leaderEpoch)
  batch.writeInt8(MAGIC, AT.magic)
  batch.writeInt16BE(codec, AT.attributes)
  batch.writeInt32BE(recordCount - 1, AT.lastOffsetDelta)
  batch.writeBigInt64BE(BigInt(timestamp), AT.baseTimestamp)
  batch.writeBigInt64BE(BigInt(timestamp), AT.maxTimestamp)
  batch.writeBigInt64BE(BigInt(producer.id), AT.producerId)
  batch.writeInt16BE(producer.epoch, AT.producerEpoch)
  batch.writeInt32BE(sequence, AT.baseSequence)
  batch.writeInt32BE(recordCount, AT.recordCount)
  batch.writeUInt32BE(crc32c(batch.subarray(AT.attributes)), AT.crc)
}

const int64 = (frame: Buffer, at: number): number => frame.readInt32BE(at) * 0x1_0000_0000 + frame.readUInt32BE(at + 4)
