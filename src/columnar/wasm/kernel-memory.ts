import { assert } from '../../base/assert.ts'

const PAGE_BYTES = 64 * 1024
/** Before each block: which size class it is of. */
const HEADER_BYTES = 16
const LEAST_CLASS = 6
const MAX_BLOCK_BYTES = 2 ** 30 - HEADER_BYTES
/** Kernels load 16 bytes at a time, and so may look so far behind the last block. */
const SLACK_BYTES = 64

interface TextViews {
  readonly offsets: Int32Array
  readonly bytes: Uint8Array
}

/**
 * The memory of one thread's kernels, given out in blocks. All of its address space is reserved at the start and none is
 * ever added: growing would detach every view of it, and with them the buffers that sockets are reading into. The
 * operating system provides a page when it is first touched, so what is not used costs nothing.
 *
 * Blocks are of sizes 2^n; a block that is given back serves the next one of its size.
 */
export class KernelMemory {
  readonly memory: WebAssembly.Memory
  /** Views of all of it, valid for good. */
  readonly bytes: Uint8Array
  readonly words: Int32Array
  #next: number
  readonly #free: number[][] = []

  /**
   * @param memory What the kernels were instantiated with.
   * @param firstFree The first address that the kernels' own data leaves free.
   */
  constructor(memory: WebAssembly.Memory, firstFree: number) {
    this.memory = memory
    this.bytes = new Uint8Array(memory.buffer)
    this.words = new Int32Array(memory.buffer)
    this.#next = (firstFree + 15) & ~15
  }

  /** Address of a block of at least `bytes` bytes with unknown contents, a multiple of 16; 0 where there is no room. */
  allocate(bytes: number): number {
    if (bytes < 0 || bytes > MAX_BLOCK_BYTES) return 0
    const size = Math.max(LEAST_CLASS, 32 - Math.clz32(bytes + HEADER_BYTES - 1))
    const reused = this.#free[size]?.pop()
    if (reused !== undefined) return reused
    const end = this.#next + 2 ** size
    if (end + SLACK_BYTES > this.bytes.length) return 0
    const address = this.#next + HEADER_BYTES
    this.words[this.#next >> 2] = size
    this.#next = end
    return address
  }

  /** Gives a block back. */
  free(address: number): void {
    const size = this.words[(address - HEADER_BYTES) >> 2] as number
    assert(size >= LEAST_CLASS && size <= 30, 'the address of a block')
    const free = this.#free[size]
    if (free === undefined) this.#free[size] = [address]
    else free.push(address)
  }

  /** Address of the first byte of a view where that lies in this memory, or -1. */
  addressOf(view: ArrayBufferView): number {
    return view.buffer === this.memory.buffer ? view.byteOffset : -1
  }

  /** Addresses of the offsets and bytes of texts, where both lie in this memory. */
  textsAt({ offsets, bytes }: TextViews): { readonly offsets: number; readonly bytes: number } | null {
    const addresses = { offsets: this.addressOf(offsets), bytes: this.addressOf(bytes) }
    return addresses.offsets < 0 || addresses.bytes < 0 ? null : addresses
  }
}

/** A block whose contents are looked at until it is taken anew. */
export class LastingBlock {
  readonly #memory: KernelMemory
  #address = 0

  constructor(memory: KernelMemory) {
    this.#memory = memory
  }

  /** Gives back what was taken before. As `KernelMemory.allocate`. */
  take(bytes: number): number {
    this.giveBack()
    this.#address = this.#memory.allocate(bytes)
    return this.#address
  }

  giveBack(): void {
    if (this.#address !== 0) this.#memory.free(this.#address)
    this.#address = 0
  }
}

/** Memory with so many bytes of address space. */
export const reserveMemory = (bytes: number): WebAssembly.Memory => {
  const pages = Math.ceil(bytes / PAGE_BYTES)
  return new WebAssembly.Memory({ initial: pages, maximum: pages })
}
