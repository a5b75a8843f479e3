import { crc32c } from '@node-rs/crc32'
import { MillraceError } from '../../base/errors.ts'
import type { Kernels } from '../../columnar/kernels.ts'
import type { RecordBatch } from '../../columnar/record-batch.ts'
import type { Wanted } from '../../columnar/record-index.ts'
import type { RecordWorkspace } from '../../columnar/record-workspace.ts'
import { type BatchHeader, checksummedFrom, HEADER_BYTES } from '../../kafka/batch-header.ts'
import type { Isolation } from '../../kafka/requests.ts'
import type { PartitionName } from '../offset-range.ts'
import { CODEC_NAMES, CODECS } from './codecs.ts'
import { corrupt, type FetchedBatches } from './fetched-batches.ts'

/** First size of the memory that record batches are decompressed to. */
const ARENA_BYTES = 1024 * 1024
/**
 * So many decompressed bytes go to the decoder at once, as they are still in the caches of a core; fewer records than a few
 * hundred wait for more of them, since each call of the decoder and of what follows it costs some microseconds. With the
 * last record batch they should still be one piece.
 */
const ENOUGH_BYTES = 256 * 1024
const ENOUGH_RECORDS = 512
const MOST_BYTES = 896 * 1024
const MAX_RECORDS = 8192
const MAX_PIECE_BYTES = 1024 * 1024

export interface RecordOptions {
  readonly isolation: Isolation
  readonly maxDecompressedBytes: number
  readonly kernels: Kernels
}

/** Turns fetched bytes into records, in memory that is used again for each batch. One per reader. */
export class RecordBatches {
  readonly #options: RecordOptions
  readonly #workspace: RecordWorkspace

  constructor(options: RecordOptions) {
    this.#options = options
    this.#workspace = options.kernels.recordWorkspace(ARENA_BYTES)
  }

  /**
   * The wanted records of a fetch. Checks the checksum of every batch that is looked into; leaves out control records,
   * and for `read_committed` the records of transactions that were rolled back.
   * @throws CORRUPT_RECORD_BATCH, RECORD_TOO_LARGE
   */
  *read(of: PartitionName, fetched: FetchedBatches, wanted: Wanted): Generator<RecordBatch> {
    const { arena, index } = this.#workspace
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
      if (index.count > 0 && (inFrame === compressed || this.#full(header))) {
        yield* this.#batches(of, inFrame ? fetched.frame : arena.bytes)
        this.#clear()
      }
      inFrame = !compressed
      this.#add(of, fetched.frame, header, wanted)
    }
    if (index.count > 0) yield* this.#batches(of, inFrame ? fetched.frame : arena.bytes)
    this.#clear()
  }

  #full({ recordCount }: BatchHeader): boolean {
    const { arena, index } = this.#workspace
    const enough = index.count >= ENOUGH_RECORDS ? ENOUGH_BYTES : MOST_BYTES
    return index.count + recordCount > MAX_RECORDS || arena.length >= enough
  }

  #add(of: PartitionName, frame: Buffer, header: BatchHeader, wanted: Wanted): void {
    const base = {
      baseOffset: header.baseOffset,
      lastOffsetDelta: header.lastOffset - header.baseOffset,
      baseTimestamp: header.baseTimestamp,
      appendTime: header.appendTime ? header.maxTimestamp : null,
      count: header.recordCount,
    }
    const workspace = this.#workspace
    const from = workspace.arena.length
    const good =
      header.codec === 0
        ? workspace.indexRecords(frame, header.start + HEADER_BYTES, header.end, base, wanted)
        : this.#decompress(of, frame, header) &&
          workspace.indexRecords(workspace.arena.bytes, from, workspace.arena.length, base, wanted)
    if (!good) throw corrupt(of, header.baseOffset, 'its records are not what its header says')
  }

  #decompress(of: PartitionName, frame: Buffer, header: BatchHeader): boolean {
    const decompress = CODECS[header.codec] ?? null
    if (decompress === null) throw corrupt(of, header.baseOffset, `compression ${header.codec} does not exist`)
    const { maxDecompressedBytes } = this.#options
    const outcome = decompress(frame, header.start + HEADER_BYTES, header.end, this.#workspace, maxDecompressedBytes)
    if (outcome === 'tooLarge') throw tooLarge(of, header, maxDecompressedBytes)
    if (outcome === 'malformed')
      throw corrupt(of, header.baseOffset, `${CODEC_NAMES[header.codec]} can't decompress it`)
    return true
  }

  /** What is indexed, in pieces of a size that decoders are at ease with: one compressed batch may hold megabytes. */
  *#batches(of: PartitionName, arena: Uint8Array): Generator<RecordBatch> {
    const { count, valueStart } = this.#workspace.index
    for (let from = 0; from < count; ) {
      let until = Math.min(count, from + MAX_RECORDS)
      const fits = (valueStart[from] as number) + MAX_PIECE_BYTES
      while (until > from + 1 && (valueStart[until - 1] as number) > fits) until = from + ((until - from) >> 1)
      yield this.#piece(of, arena, from, until)
      from = until
    }
  }

  #piece({ topic, partition }: PartitionName, arena: Uint8Array, from: number, until: number): RecordBatch {
    const { index } = this.#workspace
    return {
      topic,
      partition,
      count: until - from,
      arena,
      offsets: index.offsets.subarray(from, until),
      timestamps: index.timestamps.subarray(from, until),
      keyStart: index.keyStart.subarray(from, until),
      keyLength: index.keyLength.subarray(from, until),
      valueStart: index.valueStart.subarray(from, until),
      valueLength: index.valueLength.subarray(from, until),
      headersStart: index.headersStart.subarray(from, until),
      headersLength: index.headersLength.subarray(from, until),
    }
  }

  #clear(): void {
    this.#workspace.arena.clear()
    this.#workspace.index.clear()
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
