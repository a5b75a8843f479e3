/** What became of a compressed value. `tooLarge`: it would have filled more than the limit. */
export type DecompressOutcome = 'done' | 'malformed' | 'tooLarge'

/** Bytes that are appended to, up to a limit; the memory is used again after `clear`. */
export class GrowingArena {
  bytes: Uint8Array
  length = 0

  constructor(initialBytes: number) {
    this.bytes = new Uint8Array(initialBytes)
  }

  /** Makes room for so many bytes after `length`; earlier views of `bytes` may then be of other memory. */
  reserve(bytes: number): void {
    const needed = this.length + bytes
    if (needed <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  clear(): void {
    this.length = 0
  }
}
