const INITIAL_BYTES = 256

/** Writes one request in Kafka's encoding (big-endian; strings and arrays in the compact form of flexible versions). */
export class WireWriter {
  #bytes = Buffer.allocUnsafe(INITIAL_BYTES)
  #length = 0

  int8(value: number): this {
    this.#bytes.writeInt8(value, this.#reserve(1))
    return this
  }

  int16(value: number): this {
    this.#bytes.writeInt16BE(value, this.#reserve(2))
    return this
  }

  int32(value: number): this {
    this.#bytes.writeInt32BE(value, this.#reserve(4))
    return this
  }

  /** Whole numbers up to 2^53 - 1, which offsets and timestamps are. */
  int64(value: number): this {
    this.#bytes.writeBigInt64BE(BigInt(value), this.#reserve(8))
    return this
  }

  bool(value: boolean): this {
    return this.int8(value ? 1 : 0)
  }

  unsignedVarint(value: number): this {
    let rest = value >>> 0
    while (rest > 0x7f) {
      this.#bytes.writeUInt8((rest & 0x7f) | 0x80, this.#reserve(1))
      rest >>>= 7
    }
    this.#bytes.writeUInt8(rest, this.#reserve(1))
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

  /** A topic id as metadata gives it: 32 hexadecimal digits. */
  uuid(value: string): this {
    this.#bytes.write(value, this.#reserve(16), 'hex')
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
    this.#bytes.write(value, this.#reserve(length), 'utf8')
    return this
  }

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
