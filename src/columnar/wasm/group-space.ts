import type { NumberValues } from '../typescript/groups/loops.ts'
import { type GroupArray, type GroupSpace, grown } from '../typescript/groups/space.ts'
import type { KernelMemory } from './kernel-memory.ts'

/** Kernels read whole words behind the last value of a bitmap. */
const MARGIN = 16

/** Arrays in the kernels' memory, and on the heap while that is full. */
export class KernelSpace implements GroupSpace {
  readonly memory: KernelMemory
  readonly #held = new Set<number>()
  readonly #taken: number[] = []

  constructor(memory: KernelMemory) {
    this.memory = memory
  }

  grown<A extends GroupArray>(array: A, needed: number): A {
    if (needed <= array.length) return array
    const length = Math.max(needed, array.length * 2)
    const block = this.memory.allocate(length * array.BYTES_PER_ELEMENT)
    const larger = block === 0 ? grown(array, needed) : viewOf(array, this.memory, block, length)
    if (block !== 0) {
      larger.set(array)
      larger.fill(0, array.length)
      this.#held.add(block)
    }
    this.#giveBack(this.memory.addressOf(array))
    return larger
  }

  take(words: number): Int32Array {
    const block = this.#takeBlock(4 * words)
    return block === 0 ? new Int32Array(words) : this.memory.words.subarray(block >> 2, (block >> 2) + words)
  }

  endBatch(): void {
    for (const block of this.#taken) this.memory.free(block)
    this.#taken.length = 0
  }

  dispose(): void {
    this.endBatch()
    for (const block of this.#held) this.memory.free(block)
    this.#held.clear()
  }

  /** Where an array is for the batch at hand, copied if need be; -1 where there is no room. */
  place(array: NumberValues | Uint8Array): number {
    const address = this.memory.addressOf(array)
    if (address >= 0) return address
    const block = this.#takeBlock(array.byteLength)
    if (block === 0) return -1
    this.memory.bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), block)
    return block
  }

  #takeBlock(bytes: number): number {
    const block = this.memory.allocate(bytes + MARGIN)
    if (block !== 0) this.#taken.push(block)
    return block
  }

  #giveBack(address: number): void {
    if (address >= 0 && this.#held.delete(address)) this.memory.free(address)
  }
}

/** Elements at `block`, of the kind of `array`. */
const viewOf = <A extends GroupArray>(array: A, { memory }: KernelMemory, block: number, length: number): A =>
  new (array.constructor as new (buffer: ArrayBuffer, at: number, length: number) => A)(memory.buffer, block, length)
