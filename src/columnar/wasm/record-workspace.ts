import { type DecompressOutcome, GrowingArena } from '../growing-arena.ts'
import { LEAST_RECORD_BYTES, type RecordBase, RecordIndex, type Wanted } from '../record-index.ts'
import type { RecordWorkspace } from '../record-workspace.ts'
import { indexRecords } from '../typescript/index-records.ts'
import { type BlockDecoder, decompressBlock, decompressLz4 } from '../typescript/lz4.ts'
import type { KernelMemory } from './kernel-memory.ts'
import type { KernelFunctions, KernelInstance } from './kernels-module.ts'

/** Bytes behind what is asked for that kernels may write over. */
const MARGIN = 64
/** Bytes of a record in the index: two doubles and six integers. */
const INDEX_BYTES = 40
const INDEX_ARRAYS = 8
/** An arena that has grown to more than so many times its first size does not stay so. */
const MOST_INITIAL = 8

/** An arena in the kernels' memory, and on the heap as long as that is full. */
class KernelArena extends GrowingArena {
  readonly #memory: KernelMemory
  readonly #initialBytes: number
  #block = 0

  constructor(memory: KernelMemory, initialBytes: number) {
    super(0)
    this.#memory = memory
    this.#initialBytes = initialBytes
    this.reserve(initialBytes)
  }

  override reserve(bytes: number): void {
    const needed = this.length + bytes
    if (needed <= this.bytes.length) return
    const capacity = Math.max(needed, this.bytes.length * 2)
    const block = this.#memory.allocate(capacity + MARGIN)
    if (block === 0) {
      super.reserve(bytes)
    } else {
      const larger = this.#memory.bytes.subarray(block, block + capacity)
      larger.set(this.bytes.subarray(0, this.length))
      this.bytes = larger
    }
    if (this.#block !== 0) this.#memory.free(this.#block)
    this.#block = block
  }

  /** Also gives up the heap, and what one large batch has made it grow to. */
  override clear(): void {
    super.clear()
    if (this.#block !== 0 && this.bytes.length <= MOST_INITIAL * this.#initialBytes) return
    if (this.#block !== 0) this.#memory.free(this.#block)
    this.#block = 0
    this.bytes = new Uint8Array(0)
    this.reserve(this.#initialBytes)
  }
}

/** An index in the kernels' memory, and on the heap as long as that is full. */
class KernelIndex extends RecordIndex {
  readonly #memory: KernelMemory
  #block = 0

  constructor(memory: KernelMemory) {
    super()
    this.#memory = memory
  }

  /** Address of the addresses of its arrays, 0 while they are on the heap. */
  get address(): number {
    return this.#block
  }

  override reserve(records: number): void {
    const needed = this.count + records
    if (this.#block !== 0 && needed <= this.offsets.length) return
    const capacity = Math.max(needed, this.offsets.length * 2)
    const block = this.#memory.allocate(4 * INDEX_ARRAYS + (capacity + 1) * INDEX_BYTES)
    if (block === 0) super.reserve(records)
    else this.#moveTo(block, capacity + (capacity & 1))
    if (this.#block !== 0) this.#memory.free(this.#block)
    this.#block = block
  }

  #moveTo(block: number, capacity: number): void {
    const { memory, words } = this.#memory
    let at = block + 4 * INDEX_ARRAYS
    let word = block >> 2
    const take = <Values extends Float64Array | Int32Array>(larger: Values, from: Values): Values => {
      larger.set(from.subarray(0, this.count))
      words[word++] = at
      at += larger.byteLength
      return larger
    }
    const doubles = (from: Float64Array) => take(new Float64Array(memory.buffer, at, capacity), from)
    const integers = (from: Int32Array) => take(new Int32Array(memory.buffer, at, capacity), from)
    this.offsets = doubles(this.offsets)
    this.timestamps = doubles(this.timestamps)
    this.keyStart = integers(this.keyStart)
    this.keyLength = integers(this.keyLength)
    this.valueStart = integers(this.valueStart)
    this.valueLength = integers(this.valueLength)
    this.headersStart = integers(this.headersStart)
    this.headersLength = integers(this.headersLength)
  }
}

/** A workspace in the kernels' memory. What finds no room there is done by the TypeScript twins. */
export const wasmRecordWorkspace = (kernels: KernelInstance, arenaBytes: number): RecordWorkspace =>
  new KernelWorkspace(kernels, arenaBytes)

class KernelWorkspace implements RecordWorkspace {
  readonly arena: KernelArena
  readonly index: KernelIndex
  readonly #memory: KernelMemory
  readonly #functions: KernelFunctions

  constructor({ memory, functions }: KernelInstance, arenaBytes: number) {
    this.#memory = memory
    this.#functions = functions
    this.arena = new KernelArena(memory, arenaBytes)
    this.index = new KernelIndex(memory)
  }

  lz4(source: Uint8Array, start: number, end: number, limit: number): DecompressOutcome {
    return this.#withInput(source, start, end, (bytes, from, to) =>
      decompressLz4(bytes, from, to, this.arena, limit, this.#lz4Block),
    )
  }

  snappy(source: Uint8Array, start: number, end: number, length: number): DecompressOutcome | null {
    const { arena } = this
    arena.reserve(length)
    return this.#withInput(source, start, end, (bytes, from, to) => {
      const [input, output] = [this.#memory.addressOf(bytes), this.#memory.addressOf(arena.bytes)]
      if (input < 0 || output < 0) return null
      const out = output + arena.length
      if (this.#functions.snappyBlock(input + from, input + to, out, out + length) < 0) return 'malformed'
      arena.length += length
      return 'done'
    })
  }

  indexRecords(bytes: Uint8Array, start: number, end: number, base: RecordBase, wanted: Wanted): boolean {
    const { index } = this
    if (base.count < 0 || base.count > (end - start) / LEAST_RECORD_BYTES) return false
    index.reserve(base.count)
    const arena = this.#memory.addressOf(bytes)
    if (arena < 0 || index.address === 0) return indexRecords(bytes, start, end, base, wanted, index)
    const rows = this.#functions.indexRecords(
      arena,
      arena + start,
      arena + end,
      base.count,
      base.baseOffset,
      base.lastOffsetDelta,
      base.baseTimestamp,
      base.appendTime ?? Number.NaN,
      wanted.from,
      wanted.until,
      index.address,
      index.count,
    )
    if (rows >= 0) index.count = rows
    return rows >= 0
  }

  readonly #lz4Block: BlockDecoder = (source, start, end, out, outStart, outEnd, lowest) => {
    const [from, to] = [this.#memory.addressOf(source), this.#memory.addressOf(out)]
    if (from < 0 || to < 0) return decompressBlock(source, start, end, out, outStart, outEnd, lowest)
    const written = this.#functions.lz4Block(from + start, from + end, to + outStart, to + outEnd, to + lowest)
    return written < 0 ? written : written - to
  }

  /** Calls `work` with the bytes of source[start, end), brought into the memory if there is room for them. */
  #withInput<Result>(
    source: Uint8Array,
    start: number,
    end: number,
    work: (bytes: Uint8Array, start: number, end: number) => Result,
  ): Result {
    const memory = this.#memory
    const copy = memory.addressOf(source) >= 0 ? 0 : memory.allocate(end - start + MARGIN)
    if (copy === 0) return work(source, start, end)
    memory.bytes.set(source.subarray(start, end), copy)
    const result = work(memory.bytes, copy, copy + end - start)
    memory.free(copy)
    return result
  }
}
