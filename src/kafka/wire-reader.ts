import { MillraceError } from '../base/errors.ts'

/** A response that doesn't hold what its lengths say. */
const malformed = (what: string): MillraceError =>
  new MillraceError('BROKER_ERROR', `the broker sent a response that can't be read: ${what}`, {
    remedy:
      'Check that the address is a Kafka listener without TLS or SASL, and that nothing between rewrites the stream.',
  })

/** Reads a response in Kafka's encoding; every length is checked against what is there. @throws BROKER_ERROR */
export class WireReader {
  readonly bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  get position(): number {
    return this.#at
  }

  int8(): number {
    return this.bytes.readInt8(this.#take(1))
  }

  int16(): number {
    return this.bytes.readInt16BE(this.#take(2))
  }

  int32(): number {
    return this.bytes.readInt32BE(this.#take(4))
  }

  /** Exact up to 2^53, which no offset or timestamp reaches. */
  int64(): number {
    const at = this.#take(8)
    return this.bytes.readInt32BE(at) * 0x1_0000_0000 + this.bytes.readUInt32BE(at + 4)
  }

  bool(): boolean {
    return this.int8() !== 0
  }

  unsignedVarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.bytes.readUInt8(this.#take(1))
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw malformed('a varint does not end')
  }

  compactString(): string | null {
    const length = this.unsignedVarint() - 1
    if (length < 0) return null
    const at = this.#take(length)
    return this.bytes.toString('utf8', at, at + length)
  }

  /** 32 hexadecimal digits. */
  uuid(): string {
    const at = this.#take(16)
    return this.bytes.toString('hex', at, at + 16)
  }

  /** Reads an array in the form of flexible versions; a null array is an empty one. */
  compactArray<Item>(read: () => Item): readonly Item[] {
    return this.#items(this.unsignedVarint() - 1, read)
  }

  /** Reads an array in the form of the older versions. */
  array<Item>(read: () => Item): readonly Item[] {
    return this.#items(this.int32(), read)
  }

  /** Where some bytes lie: their contents are not copied. A null is empty. */
  compactBytes(): { readonly start: number; readonly end: number } {
    const length = Math.max(0, this.unsignedVarint() - 1)
    const start = this.#take(length)
    return { start, end: start + length }
  }

  /** Tagged fields say nothing that is needed here. */
  skipTags(): void {
    for (let left = this.unsignedVarint(); left > 0; left -= 1) {
      this.unsignedVarint()
      this.#take(this.unsignedVarint())
    }
  }

  #items<Item>(count: number, read: () => Item): readonly Item[] {
    // an item takes a byte at least, so a lying count ends at the end of the response
    if (count > this.bytes.length - this.#at) throw malformed(`an array of ${count} items`)
    const items: Item[] = []
    for (let index = 0; index < count; index += 1) items.push(read())
    return items
  }

  #take(bytes: number): number {
    const at = this.#at
    if (bytes < 0 || at + bytes > this.bytes.length) throw malformed(`${bytes} bytes at ${at} of ${this.bytes.length}`)
    this.#at = at + bytes
    return at
  }
}
