import { bitWidth, isOneRun, maxHybridBytes, putHybrid, putPackedHeader } from '../bit-packing.ts'
import type { ScalarColumn } from '../column.ts'
import type { EncodedPage, Extremes, PageEncoder } from '../page-encoder.ts'
import { plainLength, putPlain } from '../plain-values.ts'
import { pageEncoder } from '../typescript/page-encoder.ts'
import { maxCompressedLength } from '../typescript/snappy-compress.ts'
import type { DictionaryKind, ValueDictionary } from '../value-dictionary.ts'
import { copyAt, copyBytes } from './column-over.ts'
import { LastingBlock } from './kernel-memory.ts'
import type { KernelInstance } from './kernels-module.ts'
import { wasmDictionary } from './value-dictionary.ts'

/** Bytes behind what is asked for that kernels may read or write over. */
const MARGIN = 32
const SNAPPY_TABLE_BYTES = 65_536

/** From so many bytes a text on, the loops of JavaScript cost less than bringing a page here. */
const LONG_TEXT_BYTES = 256

const hasLongTexts = (values: ScalarColumn): boolean =>
  'bytes' in values && plainLength(values) > LONG_TEXT_BYTES * values.length

/** The loops of writers of pages in WebAssembly. What finds no room in the memory is done by the TypeScript twin. */
export const wasmPageEncoder = (kernels: KernelInstance): PageEncoder => new KernelPages(kernels, pageEncoder())

class KernelPages implements PageEncoder {
  readonly #kernels: KernelInstance
  readonly #twin: PageEncoder
  /** What `bring` brought last. */
  readonly #brought: LastingBlock

  constructor(kernels: KernelInstance, twin: PageEncoder) {
    this.#kernels = kernels
    this.#twin = twin
    this.#brought = new LastingBlock(kernels.memory)
  }

  bring<Values extends ScalarColumn>(values: Values): Values {
    this.#brought.giveBack()
    const block = hasLongTexts(values) ? 0 : this.#brought.take(copyBytes(values))
    return block === 0 ? values : (copyAt(this.#kernels.memory, values, block) as Values)
  }

  extremes(values: ScalarColumn): Extremes | null {
    if (!('bytes' in values) || values.length === 0) return this.#twin.extremes(values)
    const { memory, functions } = this.#kernels
    const texts = this.#kernels.memory.textsAt(values)
    const answer = texts === null ? 0 : memory.allocate(8)
    if (texts === null || answer === 0) return this.#twin.extremes(values)
    functions.textExtremes(texts.offsets, texts.bytes, values.length, answer)
    const [least = 0, most = 0] = memory.words.subarray(answer >> 2, (answer >> 2) + 2)
    memory.free(answer)
    return { least, most }
  }

  plainPage(levels: Uint8Array, values: ScalarColumn): EncodedPage {
    const plainBytes = levels.length + plainLength(values)
    const page = this.#page(plainBytes, at => {
      const { memory, functions } = this.#kernels
      const texts = 'bytes' in values ? this.#kernels.memory.textsAt(values) : null
      memory.bytes.set(levels, at)
      if (texts === null) putPlain(values, memory.bytes, at + levels.length)
      else functions.prefixTexts(texts.offsets, texts.bytes, values.length, at + levels.length)
      return at + plainBytes
    })
    return page ?? this.#twin.plainPage(levels, values)
  }

  indexPage(levels: Uint8Array, indices: Int32Array, size: number): EncodedPage {
    const width = bitWidth(size)
    const page = this.#page(levels.length + 1 + maxHybridBytes(indices.length, width), at => {
      const { bytes } = this.#kernels.memory
      bytes.set(levels, at)
      bytes[at + levels.length] = width
      return this.#putNumbers(indices, width, at + levels.length + 1)
    })
    return page ?? this.#twin.indexPage(levels, indices, size)
  }

  dictionary(kind: DictionaryKind, maxBytes: number): ValueDictionary {
    return wasmDictionary(this.#kernels, kind, maxBytes) ?? this.#twin.dictionary(kind, maxBytes)
  }

  /** As `putHybrid`. */
  #putNumbers(numbers: Int32Array, width: number, at: number): number {
    const { memory, functions } = this.#kernels
    const address = memory.addressOf(numbers)
    if (address < 0 || isOneRun(numbers)) return putHybrid(numbers, width, memory.bytes, at)
    const start = putPackedHeader(numbers.length, memory.bytes, at)
    const end = functions.packNumbers(address, numbers.length, width, start)
    const until = start + ((numbers.length + 7) >> 3) * width
    memory.bytes.fill(0, end, until)
    return until
  }

  /** Compresses what `write` puts at an address and answers the end of; `null` where there is no room. */
  #page(maxBytes: number, write: (at: number) => number): EncodedPage | null {
    const { memory, functions } = this.#kernels
    const page = memory.allocate(maxBytes + MARGIN)
    const out = page === 0 ? 0 : memory.allocate(maxCompressedLength(maxBytes) + MARGIN)
    const table = out === 0 ? 0 : memory.allocate(SNAPPY_TABLE_BYTES)
    let encoded: EncodedPage | null = null
    if (table !== 0) {
      const pageEnd = write(page)
      const end = functions.snappyCompress(page, pageEnd, out, table)
      encoded = { bytes: memory.bytes.subarray(out, end), plainBytes: pageEnd - page }
    }
    // given back already: what lies there stays until the next call
    for (const block of [page, out, table]) if (block !== 0) memory.free(block)
    return encoded
  }
}
