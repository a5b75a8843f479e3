import { assert } from '../../base/assert.ts'
import type { ScalarColumn } from '../column.ts'
import { fixedBytes, valueWidth } from '../plain-values.ts'
import type { DictionaryKind, ValueDictionary } from '../value-dictionary.ts'
import { columnOver, copyAt, copyBytes } from './column-over.ts'
import type { KernelInstance } from './kernels-module.ts'

/** Words of `Dictionary` in `assembly/dictionary.ts`, in their order. */
const WORD = {
  size: 0,
  capacity: 1,
  used: 2,
  room: 3,
  limit: 4,
  bytes: 5,
  offsets: 6,
  hashes: 7,
  slots: 8,
} as const
const WORDS = 9
const FIRST_CAPACITY = 64
const FIRST_ROOM = 1024
const TOO_LARGE = -1
/** Bytes behind values that kernels may write over. */
const MARGIN = 32

/** An empty dictionary in the kernels' memory; `null` where there is no room. */
export const wasmDictionary = (
  kernels: KernelInstance,
  kind: DictionaryKind,
  maxBytes: number,
): ValueDictionary | null => {
  const dictionary = new KernelDictionary(kernels, kind)
  return dictionary.begin(maxBytes) ? dictionary : null
}

/** A dictionary of a task that failed is given back when the collector finds it. */
const lost = new FinalizationRegistry<{ readonly kernels: KernelInstance; readonly blocks: Blocks }>(held =>
  giveBack(held.kernels, held.blocks),
)

/** Addresses of what a dictionary holds; 0 is none. */
interface Blocks {
  header: number
  bytes: number
  entries: number
  numbers: number
}

const giveBack = ({ memory }: KernelInstance, blocks: Blocks): void => {
  for (const block of Object.values(blocks) as number[]) if (block !== 0) memory.free(block)
  Object.assign(blocks, { header: 0, bytes: 0, entries: 0, numbers: 0 })
}

class KernelDictionary implements ValueDictionary {
  readonly #kernels: KernelInstance
  readonly #kind: DictionaryKind
  readonly #width: number
  readonly #blocks: Blocks = { header: 0, bytes: 0, entries: 0, numbers: 0 }

  constructor(kernels: KernelInstance, kind: DictionaryKind) {
    this.#kernels = kernels
    this.#kind = kind
    this.#width = valueWidth(kind)
  }

  /** Takes the first memory; whether there was some. */
  begin(maxBytes: number): boolean {
    const { memory } = this.#kernels
    const blocks = this.#blocks
    blocks.header = memory.allocate(4 * WORDS)
    if (blocks.header === 0) return false
    const word = blocks.header >> 2
    memory.words.fill(0, word, word + WORDS)
    memory.words[word + WORD.limit] = maxBytes
    if (!this.#growBytes(FIRST_ROOM) || !this.#growEntries(FIRST_CAPACITY)) {
      giveBack(this.#kernels, blocks)
      return false
    }
    lost.register(this, { kernels: this.#kernels, blocks }, this)
    return true
  }

  get size(): number {
    return this.#word('size')
  }

  get byteSize(): number {
    return this.#word('used') + (this.#width === 0 ? 4 * this.size : 0)
  }

  numbersOf(values: ScalarColumn): Int32Array | null {
    assert(values.kind === this.#kind, `a dictionary of ${this.#kind} gets ${values.kind}`)
    const { memory } = this.#kernels
    const [size, used] = [this.size, this.#word('used')]
    const blocks = this.#blocks
    if (blocks.numbers !== 0) memory.free(blocks.numbers)
    blocks.numbers = memory.allocate(4 * values.length)
    if (blocks.numbers === 0 || !this.#numberHere(values)) {
      this.#setWord('size', size)
      this.#setWord('used', used)
      return null
    }
    const word = blocks.numbers >> 2
    return memory.words.subarray(word, word + values.length)
  }

  values(): ScalarColumn {
    const { memory } = this.#kernels
    const { size } = this
    const at = this.#word('bytes')
    const kind = this.#kind
    if (kind !== 'string' && kind !== 'json' && kind !== 'bytes') return columnOver(memory, kind, at, size)
    const word = this.#word('offsets') >> 2
    const offsets = memory.words.subarray(word, word + size + 1)
    const bytes = memory.bytes.subarray(at, at + this.#word('used'))
    return { kind, length: size, validity: null, offsets, bytes }
  }

  free(): void {
    lost.unregister(this)
    giveBack(this.#kernels, this.#blocks)
  }

  /** As `#number`, for values that may lie elsewhere. */
  #numberHere(values: ScalarColumn): boolean {
    const { memory } = this.#kernels
    const isHere = memory.addressOf('bytes' in values ? values.bytes : fixedBytes(values)) >= 0
    if (isHere) return this.#number(values)
    const copy = memory.allocate(copyBytes(values))
    if (copy === 0) return false
    const done = this.#number(copyAt(memory, values, copy))
    memory.free(copy)
    return done
  }

  /** Numbers all values, with more memory as often as it is needed; whether there was some. */
  #number(values: ScalarColumn): boolean {
    const { memory, functions } = this.#kernels
    const { header, numbers } = this.#blocks
    const { length } = values
    const texts = 'bytes' in values ? memory.textsAt(values) : null
    const words = 'bytes' in values ? -1 : memory.addressOf(fixedBytes(values))
    if (texts === null && words < 0) return false
    for (let row = 0; row < length; ) {
      const next =
        texts === null
          ? functions.numberWords(header, words, this.#width, row, length, numbers)
          : functions.numberTexts(header, texts.offsets, texts.bytes, row, length, numbers)
      if (next === TOO_LARGE) return false
      if (next < length && !this.#makeRoom('bytes' in values ? lengthAt(values, next) : this.#width)) return false
      row = next
    }
    return true
  }

  /** Room for one more value of so many bytes, at least. */
  #makeRoom(bytes: number): boolean {
    const [size, capacity, used, room] = [this.size, this.#word('capacity'), this.#word('used'), this.#word('room')]
    return (
      (size < capacity || this.#growEntries(capacity * 2)) &&
      (used + bytes <= room || this.#growBytes(Math.max(room * 2, used + bytes)))
    )
  }

  #growBytes(room: number): boolean {
    const { memory } = this.#kernels
    const larger = memory.allocate(room + MARGIN)
    if (larger === 0) return false
    const old = this.#blocks.bytes
    memory.bytes.copyWithin(larger, old, old + this.#word('used'))
    if (old !== 0) memory.free(old)
    this.#blocks.bytes = larger
    this.#setWord('bytes', larger)
    this.#setWord('room', room)
    return true
  }

  /** Offsets, hashes and slots are one block. */
  #growEntries(capacity: number): boolean {
    const { memory, functions } = this.#kernels
    const larger = memory.allocate(4 * (4 * capacity + 1))
    if (larger === 0) return false
    const [offsets, hashes, slots] = [larger, larger + 4 * (capacity + 1), larger + 4 * (2 * capacity + 1)]
    const { entries } = this.#blocks
    const { size } = this
    const move = (from: number, to: number, words: number) => memory.bytes.copyWithin(to, from, from + 4 * words)
    if (entries === 0) memory.words[offsets >> 2] = 0
    else {
      move(this.#word('offsets'), offsets, size + 1)
      move(this.#word('hashes'), hashes, size)
      memory.free(entries)
    }
    this.#blocks.entries = larger
    this.#setWord('offsets', offsets)
    this.#setWord('hashes', hashes)
    this.#setWord('slots', slots)
    this.#setWord('capacity', capacity)
    functions.rehash(this.#blocks.header)
    return true
  }

  #word(name: keyof typeof WORD): number {
    return this.#kernels.memory.words[(this.#blocks.header >> 2) + WORD[name]] as number
  }

  #setWord(name: keyof typeof WORD, value: number): void {
    this.#kernels.memory.words[(this.#blocks.header >> 2) + WORD[name]] = value
  }
}

const lengthAt = ({ offsets }: { readonly offsets: Int32Array }, row: number): number =>
  (offsets[row + 1] as number) - (offsets[row] as number)
