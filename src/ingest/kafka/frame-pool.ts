/** Frames smaller than this come from the heap and are not kept. */
const SMALL_BYTES = 64 * 1024
const STEP_BYTES = 256 * 1024

/**
 * Memory that responses are read into, used again and again: a fresh buffer of megabytes costs the kernel more to
 * clear than the network to fill.
 */
export class FramePool {
  readonly #maxFreeBytes: number
  readonly #free: Buffer[] = []
  #freeBytes = 0

  /** @param maxFreeBytes What may lie unused; more is left to the garbage collector. */
  constructor(maxFreeBytes: number) {
    this.#maxFreeBytes = maxFreeBytes
  }

  /** A buffer of exactly `bytes` bytes with unknown contents. */
  take(bytes: number): Buffer {
    if (bytes < SMALL_BYTES) return Buffer.allocUnsafeSlow(bytes)
    const at = this.#free.findIndex(buffer => buffer.length >= bytes && buffer.length <= bytes * 4)
    const [found] = at < 0 ? [] : this.#free.splice(at, 1)
    if (found !== undefined) this.#freeBytes -= found.length
    const whole = found ?? Buffer.allocUnsafeSlow(Math.ceil(bytes / STEP_BYTES) * STEP_BYTES)
    return whole.subarray(0, bytes)
  }

  /** Hands back a buffer that nobody reads any more. */
  give(frame: Buffer): void {
    const bytes = frame.buffer.byteLength
    if (bytes < SMALL_BYTES || this.#freeBytes + bytes > this.#maxFreeBytes) return
    this.#free.push(Buffer.from(frame.buffer))
    this.#freeBytes += bytes
  }
}
