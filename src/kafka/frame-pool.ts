/** Frames smaller than this come from the heap and are not kept. */
const SMALL_BYTES = 64 * 1024
const STEP_BYTES = 64 * 1024

/**
 * Memory that responses are read into, used again and again: a fresh buffer of megabytes costs the kernel more to
 * clear than the network to fill.
 */
export class FramePool {
  readonly #maxFreeBytes: number
  readonly #free: Buffer[] = []
  readonly #borrowers = new Map<ArrayBufferLike, number>()
  #freeBytes = 0
  #lentBytes = 0

  /** @param maxFreeBytes What may lie unused; more is left to the garbage collector. */
  constructor(maxFreeBytes: number) {
    this.#maxFreeBytes = maxFreeBytes
  }

  /** Bytes of the frames that are lent. */
  get lentBytes(): number {
    return this.#lentBytes
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

  /** From now on so many read the frame; each of them gives it back. */
  lend(frame: Buffer, borrowers: number): void {
    if (borrowers === 0) return this.#keep(frame)
    this.#borrowers.set(frame.buffer, borrowers)
    this.#lentBytes += frame.buffer.byteLength
  }

  /** Hands back a frame that was lent; the last one who does makes it free for the next response. */
  give(frame: Buffer): void {
    const borrowers = this.#borrowers.get(frame.buffer) ?? 0
    if (borrowers > 1) this.#borrowers.set(frame.buffer, borrowers - 1)
    if (borrowers !== 1) return
    this.#borrowers.delete(frame.buffer)
    this.#lentBytes -= frame.buffer.byteLength
    this.#keep(frame)
  }

  /** A copy in a frame of its own, where the frame is a small part of a large one that it would hold on to. */
  apart(frame: Buffer): Buffer {
    if (frame.length * 2 > frame.buffer.byteLength) return frame
    const copy = this.take(frame.length)
    frame.copy(copy)
    this.lend(copy, 1)
    this.give(frame)
    return copy
  }

  #keep(frame: Buffer): void {
    const bytes = frame.buffer.byteLength
    if (bytes < SMALL_BYTES || this.#freeBytes + bytes > this.#maxFreeBytes) return
    this.#free.push(Buffer.from(frame.buffer))
    this.#freeBytes += bytes
  }
}
