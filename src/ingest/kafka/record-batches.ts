import { crc32c } from '@node-rs/crc32'
import { MillraceError } from '../../base/errors.ts'
import { GrowingArena } from '../../columnar/growing-arena.ts'
import type { RecordBatch } from '../../columnar/record-batch.ts'
import { RecordIndex } from '../../columnar/record-index.ts'
import { indexRecords, type Wanted } from '../../columnar/typescript/index-records.ts'
import { type BatchHeader, checksummedFrom, HEADER_BYTES } from './batch-header.ts'
import { CODEC_NAMES, CODECS } from './codecs.ts'
import { corrupt, type FetchedBatches, type PartitionName } from './fetched-batches.ts'
import type { Isolation } from './requests.ts'

/** Decompressed bytes and records of one batch that goes to the decoder: about what the caches of a core hold. */
const ARENA_BYTES = 512 * 1024
const MAX_RECORDS = 8192

export interface RecordOptions {
  readonly isolation: Isolation
  readonly maxDecompressedBytes: number
}

/** Turns fetched bytes into records, in memory that is used again for each batch. One per reader. */
export class RecordBatches {
  readonly #options: RecordOptions
  readonly #arena = new GrowingArena(ARENA_BYTES)
  readonly #index = new RecordIndex()

  constructor(options: RecordOptions) {
    this.#options = options
  }

  /**
   * The wanted records of a fetch. Checks the checksum of every batch that is looked into; leaves out control records,
   * and for `read_committed` the records of transactions that were rolled back.
   * @throws CORRUPT_RECORD_BATCH, RECORD_TOO_LARGE
   */
  *read(of: PartitionName, fetched: FetchedBatches, wanted: Wanted): Generator<RecordBatch> {
    const rolledBack = new RolledBack(fetched, this.#options.isolation)
    this.#clear()
    let inFrame = false
    for (const header of fetched.headers) {
      if (header.baseOffset >= wanted.until) break
      const hidden = rolledBack.hides(header)
      if (header.lastOffset < wanted.from) continue
      // before its attributes are believed
      checkCrc(of, fetched.frame, header)
      if (header.control || hidden) continue
      const compressed = header.codec !== 0
      if (this.#index.count > 0 && (inFrame === compressed || this.#full(header))) {
        yield this.#batch(of, inFrame ? fetched.frame : this.#arena.bytes)
        this.#clear()
      }
      inFrame = !compressed
      this.#add(of, fetched.frame, header, wanted)
    }
    if (this.#index.count > 0) yield this.#batch(of, inFrame ? fetched.frame : this.#arena.bytes)
    this.#clear()
  }

  #full({ recordCount }: BatchHeader): boolean {
    return this.#index.count + recordCount > MAX_RECORDS || this.#arena.length >= ARENA_BYTES / 2
  }

  #add(of: PartitionName, frame: Buffer, header: BatchHeader, wanted: Wanted): void {
    const base = {
      baseOffset: header.baseOffset,
      lastOffsetDelta: header.lastOffset - header.baseOffset,
      baseTimestamp: header.baseTimestamp,
      appendTime: header.appendTime ? header.maxTimestamp : null,
      count: header.recordCount,
    }
    const from = this.#arena.length
    const good =
      header.codec === 0
        ? indexRecords(frame, header.start + HEADER_BYTES, header.end, base, wanted, this.#index)
        : this.#decompress(of, frame, header) &&
          indexRecords(this.#arena.bytes, from, this.#arena.length, base, wanted, this.#index)
    if (!good) throw corrupt(of, header.baseOffset, 'its records are not what its header says')
  }

  #decompress(of: PartitionName, frame: Buffer, header: BatchHeader): boolean {
    const decompress = CODECS[header.codec] ?? null
    if (decompress === null) throw corrupt(of, header.baseOffset, `compression ${header.codec} does not exist`)
    const { maxDecompressedBytes } = this.#options
    const outcome = decompress(frame, header.start + HEADER_BYTES, header.end, this.#arena, maxDecompressedBytes)
    if (outcome === 'tooLarge') throw tooLarge(of, header, maxDecompressedBytes)
    if (outcome === 'malformed')
      throw corrupt(of, header.baseOffset, `${CODEC_NAMES[header.codec]} can't decompress it`)
    return true
  }

  #batch({ topic, partition }: PartitionName, arena: Uint8Array): RecordBatch {
    const { count, offsets, timestamps, keyStart, keyLength, valueStart, valueLength } = this.#index
    const { headersStart, headersLength } = this.#index
    return {
      topic,
      partition,
      count,
      arena,
      offsets,
      timestamps,
      keyStart,
      keyLength,
      valueStart,
      valueLength,
      headersStart,
      headersLength,
    }
  }

  #clear(): void {
    this.#arena.clear()
    this.#index.clear()
  }
}

/** Follows which producers' transactions were rolled back, from batch to batch of one fetch. */
class RolledBack {
  readonly #producers = new Set<number>()
  readonly #waiting: { readonly producerId: number; readonly firstOffset: number }[]
  readonly #frame: Buffer

  constructor({ frame, aborted }: FetchedBatches, isolation: Isolation) {
    this.#frame = frame
    this.#waiting = isolation === 'read_committed' ? aborted.toSorted((a, b) => b.firstOffset - a.firstOffset) : []
  }

  hides(header: BatchHeader): boolean {
    for (let first = this.#waiting.at(-1); first !== undefined; first = this.#waiting.at(-1)) {
      if (first.firstOffset > header.lastOffset) break
      this.#producers.add(first.producerId)
      this.#waiting.pop()
    }
    if (!header.transactional || !this.#producers.has(header.producerId)) return false
    // the abort marker ends what it rolls back: the producer's next transaction counts again
    if (header.control && isAbortMarker(this.#frame, header)) this.#producers.delete(header.producerId)
    return true
  }
}

/**
 * A control batch holds one record, never compressed: length, attributes, two deltas, key length, then the key, whose
 * second half says abort (0) or commit (1). All varints of it fit one byte.
 */
const isAbortMarker = (frame: Buffer, { start, end }: BatchHeader): boolean => {
  const type = start + HEADER_BYTES + 5 + 2
  return type + 2 <= end && frame.readInt16BE(type) === 0
}

const checkCrc = (of: PartitionName, frame: Buffer, header: BatchHeader): void => {
  const computed = crc32c(frame.subarray(checksummedFrom(header), header.end))
  if (computed !== header.crc) throw corrupt(of, header.baseOffset, 'its CRC-32C does not match')
}

const tooLarge = ({ topic, partition }: PartitionName, header: BatchHeader, limit: number): MillraceError =>
  new MillraceError(
    'RECORD_TOO_LARGE',
    `${topic}/${partition}: the record batch at offset ${header.baseOffset} decompresses to more than ${limit} bytes`,
    {
      remedy: 'Raise kafka.maxDecompressedBytes if the producer means it; otherwise find out what wrote the batch.',
      details: { topic, partition, offset: header.baseOffset, limit },
    },
  )
