import { gzipSync } from 'node:zlib'
import { utf8Bytes } from '../../base/text.ts'
import { GrowingArena } from '../../columnar/growing-arena.ts'
import { HEADER_BYTES, writeHeader } from '../../kafka/batch-header.ts'
import type { ProducerIdentity } from '../../kafka/produce-requests.ts'
import type { MessageReader } from '../message-encoder.ts'

export type Compression = 'none' | 'gzip'

const FIRST_BYTES = 16 * 1024
const NO_CODEC = 0
const GZIP_CODEC = 1
/** Shorter runs of bytes are copied faster one by one. */
const FEW_BYTES = 64

/** The header that a message's id is in: `<pipeline>/<sink>/<epoch>/<batch>/<index>`. */
const ID_HEADER = utf8Bytes('millrace-id')
/**
 * What a record takes beside key, value and id at most: five lengths and deltas of at most 5 bytes, attributes, timestamp, the
 * number of headers and the name of the only one.
 */
export const RECORD_OVERHEAD_BYTES = 5 * 5 + 3 + 1 + ID_HEADER.length

/** The id of messages that differ in their index only. */
export class MessageIds {
  readonly #prefix: Uint8Array

  constructor(prefix: string) {
    this.#prefix = utf8Bytes(`${prefix}/`)
  }

  bytes(index: number): number {
    return this.#prefix.length + digitsOf(index)
  }

  write(out: GrowingArena, index: number): void {
    putBytes(out, this.#prefix, 0, this.#prefix.length)
    const digits = digitsOf(index)
    let rest = index
    for (let at = digits - 1; at >= 0; at -= 1) {
      out.bytes[out.length + at] = 0x30 + (rest % 10)
      rest = Math.floor(rest / 10)
    }
    out.length += digits
  }
}

/** Gathers the records of one partition, byte for byte as they go over the wire (message format 2). */
export class RecordBatchBuilder {
  readonly #out = new GrowingArena(FIRST_BYTES)
  readonly #timestamp: number
  #count = 0

  constructor(timestamp: number) {
    this.#timestamp = timestamp
    this.#out.length = HEADER_BYTES
  }

  get count(): number {
    return this.#count
  }

  /** Adds the message that the reader stands at. */
  add({ bytes, keyStart, keyEnd, valueStart, valueEnd }: MessageReader, ids: MessageIds, index: number): void {
    const out = this.#out
    const keyBytes = keyStart < 0 ? -1 : keyEnd - keyStart
    const valueBytes = valueStart < 0 ? -1 : valueEnd - valueStart
    const idBytes = ids.bytes(index)
    const body =
      2 +
      varintBytes(this.#count) +
      partBytes(keyBytes) +
      partBytes(valueBytes) +
      1 +
      partBytes(ID_HEADER.length) +
      partBytes(idBytes)
    out.reserve(body + 5)
    putVarint(out, body)
    // neither attributes nor a delta of the timestamp
    putVarint(out, 0)
    putVarint(out, 0)
    putVarint(out, this.#count)
    putVarint(out, keyBytes)
    if (keyBytes > 0) putBytes(out, bytes, keyStart, keyEnd)
    putVarint(out, valueBytes)
    if (valueBytes > 0) putBytes(out, bytes, valueStart, valueEnd)
    putVarint(out, 1)
    putVarint(out, ID_HEADER.length)
    putBytes(out, ID_HEADER, 0, ID_HEADER.length)
    putVarint(out, idBytes)
    ids.write(out, index)
    this.#count += 1
  }

  /** The whole batch, the same to the byte each time; valid until the next record is added. */
  seal(producer: ProducerIdentity, sequence: number, compression: Compression): Buffer {
    const plain = Buffer.from(this.#out.bytes.buffer, 0, this.#out.length)
    const compressed = compression === 'gzip' ? gzipped(plain) : null
    const batch = compressed ?? plain
    const codec = compressed === null ? NO_CODEC : GZIP_CODEC
    writeHeader(batch, { codec, timestamp: this.#timestamp, producer, sequence, recordCount: this.#count })
    return batch
  }
}

/** A batch with compressed records and room for its header; `null` where that is no smaller, and might be too large. */
const gzipped = (plain: Buffer): Buffer | null => {
  const batch = Buffer.concat([plain.subarray(0, HEADER_BYTES), gzipSync(plain.subarray(HEADER_BYTES))])
  return batch.length < plain.length ? batch : null
}

/** Bytes of a length and of what it is the length of; -1 is null. */
const partBytes = (bytes: number): number => varintBytes(bytes) + Math.max(0, bytes)

/** Positive and negative numbers alternate, so that small ones of both kinds are short. */
const zigzag = (value: number): number => ((value << 1) ^ (value >> 31)) >>> 0

const varintBytes = (value: number): number => {
  const coded = zigzag(value)
  return coded < 0x80 ? 1 : coded < 0x4000 ? 2 : coded < 0x20_0000 ? 3 : coded < 0x1000_0000 ? 4 : 5
}

const putVarint = (out: GrowingArena, value: number): void => {
  let rest = zigzag(value)
  for (; rest > 0x7f; rest >>>= 7) out.bytes[out.length++] = (rest & 0x7f) | 0x80
  out.bytes[out.length++] = rest
}

const putBytes = (out: GrowingArena, source: Uint8Array, start: number, end: number): void => {
  const { bytes, length } = out
  if (end - start > FEW_BYTES) bytes.set(source.subarray(start, end), length)
  else for (let at = start; at < end; at += 1) bytes[length + at - start] = source[at] as number
  out.length = length + end - start
}

const digitsOf = (index: number): number => {
  let digits = 1
  for (let rest = index; rest >= 10; rest = Math.floor(rest / 10)) digits += 1
  return digits
}
