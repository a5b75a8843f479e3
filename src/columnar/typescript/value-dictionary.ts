import { assert } from '../../base/assert.ts'
import type { BinaryColumn, ScalarColumn } from '../column.ts'
import { GrowingArena } from '../growing-arena.ts'
import { fixedBytes, valueWidth } from '../plain-values.ts'
import type { DictionaryKind, ValueDictionary } from '../value-dictionary.ts'

/** An empty dictionary; see `PageEncoder`. */
export const valueDictionary = (kind: DictionaryKind, maxBytes: number): ValueDictionary =>
  new Dictionary(kind, maxBytes)

const FIRST_SLOTS = 64

/** Open addressing over the bytes of the values, at most half full. */
class Dictionary implements ValueDictionary {
  size = 0
  readonly #kind: DictionaryKind
  readonly #maxBytes: number
  readonly #width: number
  readonly #bytes = new GrowingArena(256)
  /** Where each value begins in the bytes, and where the last one ends. */
  #offsets = new Int32Array(FIRST_SLOTS)
  #hashes = new Int32Array(FIRST_SLOTS)
  /** One more than the number of a value; 0 where there is none. */
  #slots = new Int32Array(FIRST_SLOTS)

  constructor(kind: DictionaryKind, maxBytes: number) {
    this.#kind = kind
    this.#maxBytes = maxBytes
    this.#width = valueWidth(kind)
  }

  get byteSize(): number {
    return this.#bytes.length + (this.#width === 0 ? 4 * this.size : 0)
  }

  numbersOf(values: ScalarColumn): Int32Array | null {
    assert(values.kind === this.#kind, `a dictionary of ${this.#kind} gets ${values.kind}`)
    const { size } = this
    const { bytes, offsets } = 'bytes' in values ? values : { bytes: fixedBytes(values), offsets: null }
    const numbers = new Int32Array(values.length)
    for (let row = 0; row < numbers.length; row++) {
      const start = offsets === null ? row * this.#width : (offsets[row] as number)
      const end = offsets === null ? start + this.#width : (offsets[row + 1] as number)
      const number = this.#numberOf(bytes, start, end)
      if (number < 0) {
        this.#forgetFrom(size)
        return null
      }
      numbers[row] = number
    }
    return numbers
  }

  values(): ScalarColumn {
    const { length, bytes } = this.#bytes
    const base = { length: this.size, validity: null }
    const own = bytes.subarray(0, length)
    switch (this.#kind) {
      case 'int32':
      case 'date':
        return { kind: this.#kind, ...base, values: new Int32Array(own.buffer, own.byteOffset, this.size) }
      case 'int64':
      case 'timestamp':
        return { kind: this.#kind, ...base, values: new BigInt64Array(own.buffer, own.byteOffset, this.size) }
      case 'float32':
        return { kind: this.#kind, ...base, values: new Float32Array(own.buffer, own.byteOffset, this.size) }
      case 'float64':
        return { kind: this.#kind, ...base, values: new Float64Array(own.buffer, own.byteOffset, this.size) }
      case 'string':
      case 'json':
      case 'bytes':
        return {
          kind: this.#kind,
          ...base,
          offsets: this.#offsets.subarray(0, this.size + 1),
          bytes: own,
        } as BinaryColumn
    }
  }

  free(): void {
    // memory of the heap
  }

  #numberOf(bytes: Uint8Array, start: number, end: number): number {
    const hash = hashOf(bytes, start, end)
    const mask = this.#slots.length - 1
    let slot = hash & mask
    for (let entry = this.#slots[slot] as number; entry !== 0; entry = this.#slots[slot] as number) {
      if (this.#hashes[entry - 1] === hash && this.#isValue(entry - 1, bytes, start, end)) return entry - 1
      slot = (slot + 1) & mask
    }
    return this.#add(bytes, start, end, hash, slot)
  }

  #isValue(number: number, bytes: Uint8Array, start: number, end: number): boolean {
    const from = this.#offsets[number] as number
    if ((this.#offsets[number + 1] as number) - from !== end - start) return false
    const own = this.#bytes.bytes
    for (let at = start; at < end; at++) if (own[from + at - start] !== bytes[at]) return false
    return true
  }

  #add(bytes: Uint8Array, start: number, end: number, hash: number, slot: number): number {
    const number = this.size
    const added = end - start + (this.#width === 0 ? 4 : 0)
    if (this.byteSize + added > this.#maxBytes) return -1
    this.#bytes.reserve(end - start)
    const own = this.#bytes.bytes
    for (let at = start; at < end; at++) own[this.#bytes.length++] = bytes[at] as number
    if (number + 2 > this.#offsets.length) {
      this.#offsets = grown(this.#offsets)
      this.#hashes = grown(this.#hashes)
    }
    this.#offsets[number + 1] = this.#bytes.length
    this.#hashes[number] = hash
    this.#slots[slot] = number + 1
    this.size++
    if (this.size * 2 > this.#slots.length) this.#rehash(this.#slots.length * 2)
    return number
  }

  #forgetFrom(size: number): void {
    this.#bytes.length = this.#offsets[size] as number
    this.size = size
    this.#rehash(this.#slots.length)
  }

  #rehash(slots: number): void {
    this.#slots = new Int32Array(slots)
    for (let number = 0; number < this.size; number++) {
      let slot = (this.#hashes[number] as number) & (slots - 1)
      while (this.#slots[slot] !== 0) slot = (slot + 1) & (slots - 1)
      this.#slots[slot] = number + 1
    }
  }
}

const grown = (array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> => {
  const larger = new Int32Array(array.length * 2)
  larger.set(array)
  return larger
}

const hashOf = (bytes: Uint8Array, start: number, end: number): number => {
  let hash = end - start
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x0100_0193)
  return hash ^ (hash >>> 15)
}
