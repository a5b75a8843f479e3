import type { EncodedFile } from './sink.ts'

/** Smaller files take fresh memory: allocators have some of that at hand. */
const LEAST_BYTES = 1_048_576
/** More than this is left to the collector. */
const MOST_KEPT_BYTES = 64 * 1_048_576
/** Room for the file of the next batch, which is hardly of the same size; what is not touched costs nothing. */
const HEADROOM = 1.25

/**
 * Buffers of finished files on their way round: filled by a worker, moved to the driver, and back when the batch is done.
 * Memory that is touched for the first time costs more than the copy into it, and buffers that wait for their collection
 * are memory that no limit knows of.
 */
export class SpareBuffers {
  /** From the smallest to the largest. */
  #spare: ArrayBuffer[] = []

  /** Memory with unknown contents at the beginning of a buffer that holds nothing else. */
  take(bytes: number): Uint8Array {
    if (bytes < LEAST_BYTES) return new Uint8Array(freshBuffer(bytes))
    const at = this.#spare.findIndex(({ byteLength }) => byteLength >= bytes)
    // where none is large enough, a new one takes the place of the largest: files grow, their number does not
    const [spare] = this.#spare.splice(at, 1)
    return new Uint8Array(at === -1 || spare === undefined ? freshBuffer(bytes) : spare, 0, bytes)
  }

  giveBack(buffers: readonly ArrayBuffer[]): void {
    const all = [...this.#spare, ...buffers].toSorted((a, b) => a.byteLength - b.byteLength)
    let kept = 0
    this.#spare = all.filter(({ byteLength }) => (kept += byteLength) <= MOST_KEPT_BYTES)
  }
}

/** Not filled with zeros, which would touch all of it. */
const freshBuffer = (bytes: number): ArrayBuffer =>
  Buffer.allocUnsafeSlow(bytes < LEAST_BYTES ? bytes : Math.ceil(bytes * HEADROOM)).buffer as ArrayBuffer

/** Whether a file has a buffer for itself that is worth giving back. */
export const hasSpareBuffer = ({ bytes }: EncodedFile): boolean =>
  bytes.byteOffset === 0 && bytes.buffer.byteLength >= LEAST_BYTES
