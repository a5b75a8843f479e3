/** Smaller files take fresh memory: allocators have some of that at hand. */
const LEAST_BYTES = 1_048_576
/** More than this is left to the collector. */
const MOST_KEPT_BYTES = 64 * 1_048_576
/** Room for the file of the next batch, which is hardly of the same size; what is not touched costs nothing. */
const HEADROOM = 1.25

/**
 * Memory of finished files: filled by a worker, read by the driver, and filled again when the batch is done. Memory that is
 * touched for the first time costs more than the copy into it, and buffers that wait for their collection are memory that
 * no limit knows of.
 *
 * Threads share it: a buffer that moves counts as garbage to come in the thread where it arrives, and a driver that is
 * given a gigabyte of files would mark its heap some fifty times. It begins at a page of the machine's memory, so that
 * disks can read it directly.
 */
export class SpareBuffers {
  /** From the smallest to the largest. */
  #spare: SharedArrayBuffer[] = []
  #lent: SharedArrayBuffer[] = []

  /** Memory with unknown contents, until `reuse`. */
  take(bytes: number): Uint8Array {
    if (bytes < LEAST_BYTES) return new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer)
    const at = this.#spare.findIndex(({ byteLength }) => byteLength >= bytes)
    // where none is large enough, a new one takes the place of the largest: files grow, their number does not
    const [spare] = this.#spare.splice(at, 1)
    const buffer = at === -1 || spare === undefined ? pagesFor(Math.ceil(bytes * HEADROOM)) : spare
    this.#lent.push(buffer)
    return new Uint8Array(buffer, 0, bytes)
  }

  /** Nobody looks any more at what was taken so far: it may be taken again. */
  reuse(): void {
    const all = [...this.#spare, ...this.#lent].toSorted((a, b) => a.byteLength - b.byteLength)
    let kept = 0
    this.#spare = all.filter(({ byteLength }) => (kept += byteLength) <= MOST_KEPT_BYTES)
    this.#lent = []
  }
}

/** A buffer that could grow has pages for itself. */
const pagesFor = (bytes: number): SharedArrayBuffer => new SharedArrayBuffer(bytes, { maxByteLength: bytes })

/** Whether threads share the memory of a file. */
export const isShared = ({ buffer }: Uint8Array): boolean => buffer instanceof SharedArrayBuffer
