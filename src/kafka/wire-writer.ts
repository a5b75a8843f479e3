const INITIAL_BYTES = 256

/** Writes one request in Kafka's encoding (big-endian; strings and arrays in the compact form of flexible versions). */
export class WireWriter {
  #bytes = Buffer.allocUnsafe(INITIAL_BYTES)
  #length = 0

  int8(value: number): this {
    const at = this.#reserve(1)
    this.#bytes.writeInt8(value, at)
    return this
  }

  int16(value: number): this {
    const at = this.#reserve(2)
    this.#bytes.writeInt16BE(value, at)
    return this
  }

  int32(value: number): this {
    const at = this.#reserve(4)
    this.#bytes.writeInt32BE(value, at)
    return this
  }

  /** Whole numbers up to 2^53 - 1, which offsets and timestamps are. */
  int64(value: number): this {
    const at = this.#reserve(8)
    this.#bytes.writeBigInt64BE(BigInt(value), at)
    return this
  }

  bool(value: boolean): this {
    return this.int8(value ? 1 : 0)
  }

  unsignedVarint(value: number): this {
    let rest = value >>> 0
    while (rest > 0x7f) {
      const at = this.#reserve(1)
      this.#bytes.writeUInt8((rest & 0x7f) | 0x80, at)
      rest >>>= 7
    }
    const at = this.#reserve(1)
    this.#bytes.writeUInt8(rest, at)
    return this
  }

  /** The form that request headers use in every version. */
  string(value: string | null): this {
    if (value === null) return this.int16(-1)
    this.int16(Buffer.byteLength(value))
    return this.#text(value)
  }

  compactString(value: string | null): this {
    if (value === null) return this.unsignedVarint(0)
    this.unsignedVarint(Buffer.byteLength(value) + 1)
    return this.#text(value)
  }

  compactBytes(value: Uint8Array): this {
    this.unsignedVarint(value.length + 1)
    const at = this.#reserve(value.length)
    this.#bytes.set(value, at)
    return this
  }

  /** A topic id as metadata gives it: 32 hexadecimal digits. */
  uuid(value: string): this {
    const at = this.#reserve(16)
    this.#bytes.write(value, at, 'hex')
    return this
  }

  compactArray<Item>(items: readonly Item[], write: (item: Item) => void): this {
    this.unsignedVarint(items.length + 1)
    for (const item of items) write(item)
    return this
  }

  noTags(): this {
    return this.unsignedVarint(0)
  }

  /** The request with its length before it, as it goes over the wire. */
  framed(): Buffer {
    const frame = Buffer.allocUnsafe(4 + this.#length)
    frame.writeInt32BE(this.#length, 0)
    this.#bytes.copy(frame, 4, 0, this.#length)
    return frame
  }

  #text(value: string): this {
    const length = Buffer.byteLength(value)
    const at = this.#reserve(length)
    this.#bytes.write(value, at, 'utf8')
    return this
  }

  /** Makes room and answers where; `#bytes` may be other memory afterwards, so that it is looked at only then. */
  #reserve(bytes: number): number {
    const at = this.#length
    this.#length += bytes
    if (this.#length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.#length, this.#bytes.length * 2))
      this.#bytes.copy(grown, 0, 0, at)
      this.#bytes = grown
    }
    return at
  }
}
