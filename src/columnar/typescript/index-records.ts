import { LEAST_RECORD_BYTES, type RecordBase, type RecordIndex, type Wanted } from '../record-index.ts'

/**
 * Adds the wanted records of a Kafka record batch (magic 2, decompressed) in `bytes[start, end)` to `index`. Answers
 * false, with nothing added, where the bytes are not such records.
 */
export const indexRecords = (
  bytes: Uint8Array,
  start: number,
  end: number,
  base: RecordBase,
  wanted: Wanted,
  index: RecordIndex,
): boolean => {
  if (base.count < 0 || base.count > (end - start) / LEAST_RECORD_BYTES) return false
  index.reserve(base.count)
  const before = index.count
  const complete = new RecordCursor(bytes, start, end).records(base, wanted, index)
  if (!complete) index.count = before
  return complete
}

class RecordCursor {
  readonly #bytes: Uint8Array
  readonly #end: number
  #at: number
  /** Set as soon as something is read that isn't there. */
  #broken = false

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
  }

  records(base: RecordBase, { from, until }: Wanted, index: RecordIndex): boolean {
    let lastDelta = -1
    for (let record = 0; record < base.count; record += 1) {
      const length = this.#varint()
      const recordEnd = this.#at + length
      if (this.#broken || length < 0 || recordEnd > this.#end) return false
      this.#at += 1
      const timestampDelta = this.#varlong()
      const timestamp = base.appendTime ?? base.baseTimestamp + timestampDelta
      const delta = this.#varint()
      if (delta <= lastDelta || delta > base.lastOffsetDelta) return false
      lastDelta = delta
      const offset = base.baseOffset + delta
      if (!this.#fields(offset >= from && offset < until, offset, timestamp, recordEnd, index)) return false
    }
    return this.#at === this.#end
  }

  #fields(wanted: boolean, offset: number, timestamp: number, recordEnd: number, index: RecordIndex): boolean {
    const keyLength = this.#varint()
    const keyStart = this.#at
    if (keyLength > 0) this.#at += keyLength
    if (this.#at > recordEnd) return false
    const valueLength = this.#varint()
    const valueStart = this.#at
    if (valueLength > 0) this.#at += valueLength
    if (this.#broken || this.#at >= recordEnd) return false
    const headersStart = this.#at
    const noHeaders = this.#bytes[headersStart] === 0
    if (noHeaders && headersStart + 1 !== recordEnd) return false
    this.#at = recordEnd
    if (!wanted) return true
    const row = index.count
    index.offsets[row] = offset
    index.timestamps[row] = timestamp
    index.keyStart[row] = keyStart
    index.keyLength[row] = keyLength < 0 ? -1 : keyLength
    index.valueStart[row] = valueStart
    index.valueLength[row] = valueLength < 0 ? -1 : valueLength
    index.headersStart[row] = headersStart
    index.headersLength[row] = noHeaders ? 0 : recordEnd - headersStart
    index.count = row + 1
    return true
  }

  /** A zigzag varint of at most 5 bytes. */
  #varint(): number {
    const bytes = this.#bytes
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      if (this.#at >= this.#end) break
      const byte = bytes[this.#at++] as number
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1)
    }
    this.#broken = true
    return 0
  }

  /** A zigzag varint of at most 10 bytes; exact up to 2^53. */
  #varlong(): number {
    const bytes = this.#bytes
    let value = 0
    let scale = 1
    for (let read = 0; read < 10; read += 1) {
      if (this.#at >= this.#end) break
      const byte = bytes[this.#at++] as number
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
      scale *= 128
    }
    this.#broken = true
    return 0
  }
}
