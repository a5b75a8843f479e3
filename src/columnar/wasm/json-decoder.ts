import { utf8Bytes } from '../../base/text.ts'
import type { BadRecord, DecodedBatch, DecoderOptions, RecordDecoder } from '../kernels.ts'
import type { RecordBatch } from '../record-batch.ts'
import type { TableSchema } from '../schema.ts'
import { JsonDecoder } from '../typescript/json-decoder.ts'
import { leafColumn } from './columns.ts'
import { LEAF, LEAF_WORDS, type LeafLayout, leafLayouts, REASONS } from './json-layout.ts'
import { hold, type KernelInstance, type MemoryHolder } from './kernels-module.ts'

/** Bytes behind a text that the kernel may write over. */
const MARGIN = 16

/** What one batch asks of the memory. */
interface Extent {
  readonly count: number
  /** Bytes of all values that will be read, and of the longest. */
  readonly total: number
  readonly longest: number
  /** The part of the arena in which they lie. */
  readonly start: number
  readonly end: number
}

/**
 * The JSON decoder in WebAssembly. What it remembers from batch to batch is a block that it asks for when it first
 * needs it; columns grow in a block that stays theirs until the next batch is decoded, by whichever decoder of these
 * kernels. A batch for which there is no room is decoded by the TypeScript twin.
 */
export class WasmJsonDecoder implements RecordDecoder, MemoryHolder {
  readonly #kernels: KernelInstance
  readonly #schema: TableSchema
  readonly #options: DecoderOptions
  readonly #leaves: readonly LeafLayout[]
  /** Address of what is remembered, 0 while there is none. */
  #state = 0
  #twin: JsonDecoder | null = null

  constructor(kernels: KernelInstance, schema: TableSchema, options: DecoderOptions) {
    this.#kernels = kernels
    this.#schema = schema
    this.#options = options
    this.#leaves = leafLayouts(schema)
  }

  decode(records: RecordBatch): DecodedBatch {
    const { decoded } = this.#kernels
    decoded.giveBack()
    if (this.#state === 0) this.#state = this.#makeState()
    const extent = extentOf(records, this.#options.maxRecordBytes)
    const block = this.#state === 0 ? 0 : decoded.take(this.#bytesFor(extent, records))
    return block === 0 ? this.#decodeByTwin(records) : this.#decodeIn(block, records, extent)
  }

  /** Gives back what is remembered; the next batch begins anew. */
  forget(): void {
    if (this.#state !== 0) this.#kernels.memory.free(this.#state)
    this.#state = 0
  }

  #decodeByTwin(records: RecordBatch): DecodedBatch {
    this.#twin ??= new JsonDecoder(this.#schema, this.#options)
    return this.#twin.decode(records)
  }

  #makeState(): number {
    const { memory, functions } = this.#kernels
    const paths = this.#schema.fields.map(({ name }) => name.split('.').map(utf8Bytes))
    const steps = paths.flat()
    const pathBytes = steps.reduce((sum, { length }) => sum + length, 0)
    const longest = steps.reduce((most, { length }) => Math.max(most, length), 0)
    const leaves = this.#leaves.length
    const state = memory.allocate(functions.jsonDecoderBytes(leaves, steps.length, pathBytes))
    const name = memory.allocate(longest + MARGIN)
    if (state !== 0 && name !== 0) {
      const { validate, maxRecordBytes } = this.#options
      functions.makeJsonDecoder(state, leaves, validate === 'fields' ? 1 : 0, Math.min(maxRecordBytes, 0x7fff_ffff))
      for (const [leaf, path] of paths.entries()) {
        let node = functions.jsonRoot(state)
        for (const step of path) {
          memory.bytes.set(step, name)
          node = functions.addJsonStep(state, node, name, name + step.length, leaf)
        }
        functions.endJsonPath(state, node, leaf)
      }
    }
    if (name !== 0) memory.free(name)
    if (state !== 0 && name === 0) memory.free(state)
    if (state === 0 || name === 0) return 0
    hold(this.#kernels, this)
    return state
  }

  /** Room for a batch: what is read from outside this memory, the columns, and what the kernel answers. */
  #bytesFor(extent: Extent, records: RecordBatch): number {
    const { count, longest, start, end } = extent
    const arena = this.#kernels.memory.addressOf(records.arena) < 0 ? end - start : 0
    const columns = this.#leaves.reduce((sum, leaf) => sum + columnBytes(leaf, extent), 0)
    return arena + columns + count * 24 + longest + 8 * MARGIN
  }

  #decodeIn(block: number, records: RecordBatch, extent: Extent): DecodedBatch {
    const { memory, functions } = this.#kernels
    const { count, longest } = extent
    const space = new Space(block)
    const scratch = space.take(longest + MARGIN)
    const starts = this.#wordsAddress(space, records.valueStart, count)
    const lengths = this.#wordsAddress(space, records.valueLength, count)
    const recordOf = space.take(4 * count)
    const bad = space.take(12 * count)
    this.#layOut(space, extent)
    const arena = this.#arenaAddress(space, records, extent)
    const rows = functions.decodeJson(this.#state, arena, starts, lengths, count, recordOf, bad, scratch)
    const leafWords = functions.jsonLeaves(this.#state) >> 2
    return {
      rows: {
        schema: this.#schema,
        columns: this.#leaves.map((leaf, index) => leafColumn(memory, leaf, leafWords + index * LEAF_WORDS, rows)),
        length: rows,
        selection: null,
        origin: { records, recordOf: memory.words.subarray(recordOf >> 2, (recordOf >> 2) + rows) },
      },
      bad: this.#badRecords(bad),
    }
  }

  /** Tells the kernel where each column grows. */
  #layOut(space: Space, { count, total }: Extent): void {
    const { memory, functions } = this.#kernels
    let word = functions.jsonLeaves(this.#state) >> 2
    for (const leaf of this.#leaves) {
      const positions = leaf.isList ? mostElements(total) : count
      memory.words[word + LEAF.kind] = leaf.kind
      memory.words[word + LEAF.flags] = leaf.flags
      memory.words[word + LEAF.validity] = space.take((positions >> 3) + 1)
      memory.words[word + LEAF.offsets] = leaf.bits === 0 ? space.take(4 * (positions + 1)) : 0
      memory.words[word + LEAF.listOffsets] = leaf.isList ? space.take(4 * (count + 1)) : 0
      memory.words[word + LEAF.listValidity] = leaf.isList ? space.take((count >> 3) + 1) : 0
      memory.words[word + LEAF.values] = space.take(valueBytes(leaf, positions, total))
      word += LEAF_WORDS
    }
  }

  /** Where the first words of an array are, copied into this memory if need be. */
  #wordsAddress(space: Space, words: Int32Array, count: number): number {
    const { memory } = this.#kernels
    const address = memory.addressOf(words)
    if (address >= 0) return address
    const copy = space.take(4 * count)
    memory.words.set(words.subarray(0, count), copy >> 2)
    return copy
  }

  /** Where the arena begins, or would begin if all of it were in this memory. */
  #arenaAddress(space: Space, { arena }: RecordBatch, { start, end }: Extent): number {
    const { memory } = this.#kernels
    const address = memory.addressOf(arena)
    if (address >= 0) return address
    const copy = space.take(end - start)
    memory.bytes.set(arena.subarray(start, end), copy)
    return copy - start
  }

  #badRecords(bad: number): readonly BadRecord[] {
    const { memory, functions } = this.#kernels
    return Array.from({ length: functions.badRecords(bad) }, (_, at): BadRecord => {
      const word = (bad >> 2) + 3 * at
      const [record = 0, reason = 0, column = -1] = memory.words.subarray(word, word + 3)
      const { name = '' } = this.#schema.fields[column] ?? {}
      return { record, reason: REASONS[reason] ?? 'invalidJson', column: name }
    })
  }
}

/** Hands out the parts of a block, one after the other, each at a multiple of 16. */
class Space {
  #at: number

  constructor(block: number) {
    this.#at = block
  }

  take(bytes: number): number {
    const at = this.#at
    this.#at = aligned(at + bytes)
    return at
  }
}

const aligned = (bytes: number): number => (bytes + 15) & ~15

/** An element of a list takes two bytes at least, with its comma. */
const mostElements = (total: number): number => (total >> 1) + 1

const valueBytes = ({ bits }: LeafLayout, positions: number, total: number): number =>
  bits === 0 ? total + MARGIN : ((positions * bits) >> 3) + 1

const columnBytes = (leaf: LeafLayout, { count, total }: Extent): number => {
  const positions = leaf.isList ? mostElements(total) : count
  const offsets = leaf.bits === 0 ? 4 * (positions + 1) : 0
  const list = leaf.isList ? 4 * (count + 1) + (count >> 3) + 1 : 0
  return valueBytes(leaf, positions, total) + offsets + list + (positions >> 3) + 1 + 5 * MARGIN
}

const extentOf = ({ count, valueStart, valueLength }: RecordBatch, maxRecordBytes: number): Extent => {
  let total = 0
  let longest = 0
  let start = Number.POSITIVE_INFINITY
  let end = 0
  for (let record = 0; record < count; record++) {
    const length = valueLength[record] as number
    if (length < 0 || length > maxRecordBytes) continue
    const from = valueStart[record] as number
    total += length
    if (length > longest) longest = length
    if (from < start) start = from
    if (from + length > end) end = from + length
  }
  return { count, total, longest, start: Math.min(start, end), end }
}
