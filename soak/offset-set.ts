/** Offsets of a partition that were seen: a bit for each. */
export class OffsetSet {
  #bits = new Uint8Array(1 << 16)

  /** Answers whether it was new. */
  add(offset: number): boolean {
    const at = offset >> 3
    if (at >= this.#bits.length) {
      const larger = new Uint8Array(Math.max(2 * this.#bits.length, at + 1))
      larger.set(this.#bits)
      this.#bits = larger
    }
    const bit = 1 << (offset & 7)
    const byte = this.#bits[at] ?? 0
    this.#bits[at] = byte | bit
    return (byte & bit) === 0
  }
}
