import { assert } from '../../../base/assert.ts'
import type { BinaryColumn, Column } from '../../column.ts'
import { emptyColumn } from '../../empty-column.ts'
import { int64Words } from '../../int64-words.ts'
import type { Field } from '../../schema.ts'
import { BytesInterner } from './bytes-interner.ts'

/**
 * One key column as 32-bit words: `width` words per key, the last of them a null flag where the column may hold nulls.
 * Strings become their number in an interner, floats their bits with one zero and one NaN.
 */
export interface KeyWords {
  readonly width: number
  readonly byteSize: number
  /** Writes the words of the rows (those of `selection`, or all) to keys[at], keys[at + stride], … */
  pack(column: Column, selection: Int32Array | null, rows: number, keys: Int32Array, at: number, stride: number): void
  /** The column of the keys whose words start at words[at + stride * groups[0]], … */
  unpack(words: Int32Array, groups: Int32Array, at: number, stride: number): Column
}

/** Puts one or two words of each row to keys[at], keys[at + stride], … */
export type PackWords = (
  values: Int32Array,
  words: 1 | 2,
  selection: Int32Array | null,
  rows: number,
  keys: Int32Array,
  at: number,
  stride: number,
) => void

/** How keys of a field's type become words of a group's key and columns again. */
export const keyWords = (field: Field, pack: PackWords): KeyWords => {
  const words = valueWords(field, pack)
  return field.nullable ? new NullableWords(words) : words
}

const valueWords = (field: Field, pack: PackWords): KeyWords => {
  switch (field.type) {
    case 'int32':
    case 'date':
    case 'bool':
      return new OneWord(field.type, pack)
    case 'float32':
      return new FloatWord()
    case 'int64':
    case 'timestamp':
      return new TwoWords(field.type, pack)
    case 'float64':
      return new DoubleWords()
    default:
      return new InternedWord(field)
  }
}

/** The reference of `PackWords`. */
export const packWords: PackWords = (values, words, selection, rows, keys, at, stride) => {
  for (let i = 0; i < rows; i += 1) {
    const row = selection === null ? i : (selection[i] as number)
    keys[at + i * stride] = values[words * row] as number
    if (words === 2) keys[at + i * stride + 1] = values[2 * row + 1] as number
  }
}

/** Normal form of a float as a key: one zero and, since 0 / 0 and NaN have other bits on some machines, one NaN. */
const canonical = (value: number): number => (value === 0 ? 0 : value)
const NAN_FLOAT32 = 0x7fc0_0000
const NAN_FLOAT64_HIGH = 0x7ff8_0000

const bit = (bits: Uint8Array, row: number): number => ((bits[row >> 3] as number) >> (row & 7)) & 1

class OneWord implements KeyWords {
  readonly width = 1
  readonly byteSize = 0
  readonly #kind: 'int32' | 'date' | 'bool'
  readonly #pack: PackWords

  constructor(kind: 'int32' | 'date' | 'bool', pack: PackWords) {
    this.#kind = kind
    this.#pack = pack
  }

  pack(column: Column, selection: Int32Array | null, rows: number, keys: Int32Array, at: number, stride: number): void {
    if (column.kind === 'bool') {
      for (let i = 0; i < rows; i += 1)
        keys[at + i * stride] = bit(column.values, selection === null ? i : (selection[i] as number))
      return
    }
    assert(column.kind === 'int32' || column.kind === 'date', 'a 32-bit key column')
    this.#pack(column.values, 1, selection, rows, keys, at, stride)
  }

  unpack(words: Int32Array, groups: Int32Array, at: number, stride: number): Column {
    const { length } = groups
    if (this.#kind === 'bool') {
      const bits = new Uint8Array((length + 7) >> 3)
      for (let i = 0; i < length; i += 1) {
        bits[i >> 3] = (bits[i >> 3] as number) | ((words[at + (groups[i] as number) * stride] as number) << (i & 7))
      }
      return { kind: 'bool', length, validity: null, values: bits }
    }
    const values = new Int32Array(length)
    for (let i = 0; i < length; i += 1) values[i] = words[at + (groups[i] as number) * stride] as number
    return { kind: this.#kind, length, validity: null, values }
  }
}

class FloatWord implements KeyWords {
  readonly width = 1
  readonly byteSize = 0

  pack(column: Column, selection: Int32Array | null, rows: number, keys: Int32Array, at: number, stride: number): void {
    assert(column.kind === 'float32', 'a float32 key column')
    const float = new Float32Array(1)
    const word = new Int32Array(float.buffer)
    for (let i = 0; i < rows; i += 1) {
      float[0] = canonical(column.values[selection === null ? i : (selection[i] as number)] as number)
      keys[at + i * stride] = Number.isNaN(float[0]) ? NAN_FLOAT32 : (word[0] as number)
    }
  }

  unpack(words: Int32Array, groups: Int32Array, at: number, stride: number): Column {
    const taken = new Int32Array(groups.length)
    for (let i = 0; i < groups.length; i += 1) taken[i] = words[at + (groups[i] as number) * stride] as number
    return { kind: 'float32', length: groups.length, validity: null, values: new Float32Array(taken.buffer) }
  }
}

const takePairs = (words: Int32Array, groups: Int32Array, at: number, stride: number): ArrayBuffer => {
  const pairs = new Int32Array(groups.length * 2)
  for (let i = 0; i < groups.length; i += 1) {
    const from = at + (groups[i] as number) * stride
    pairs[2 * i] = words[from] as number
    pairs[2 * i + 1] = words[from + 1] as number
  }
  return pairs.buffer
}

class TwoWords implements KeyWords {
  readonly width = 2
  readonly byteSize = 0
  readonly #kind: 'int64' | 'timestamp'
  readonly #pack: PackWords

  constructor(kind: 'int64' | 'timestamp', pack: PackWords) {
    this.#kind = kind
    this.#pack = pack
  }

  pack(column: Column, selection: Int32Array | null, rows: number, keys: Int32Array, at: number, stride: number): void {
    assert(column.kind === 'int64' || column.kind === 'timestamp', 'a 64-bit key column')
    this.#pack(int64Words(column.values), 2, selection, rows, keys, at, stride)
  }

  unpack(words: Int32Array, groups: Int32Array, at: number, stride: number): Column {
    const values = new BigInt64Array(takePairs(words, groups, at, stride))
    return { kind: this.#kind, length: groups.length, validity: null, values }
  }
}

class DoubleWords implements KeyWords {
  readonly width = 2
  readonly byteSize = 0

  pack(column: Column, selection: Int32Array | null, rows: number, keys: Int32Array, at: number, stride: number): void {
    assert(column.kind === 'float64', 'a float64 key column')
    const double = new Float64Array(1)
    const pair = new Int32Array(double.buffer)
    for (let i = 0; i < rows; i += 1) {
      double[0] = canonical(column.values[selection === null ? i : (selection[i] as number)] as number)
      const isNaN = Number.isNaN(double[0])
      keys[at + i * stride] = isNaN ? 0 : (pair[0] as number)
      keys[at + i * stride + 1] = isNaN ? NAN_FLOAT64_HIGH : (pair[1] as number)
    }
  }

  unpack(words: Int32Array, groups: Int32Array, at: number, stride: number): Column {
    const values = new Float64Array(takePairs(words, groups, at, stride))
    return { kind: 'float64', length: groups.length, validity: null, values }
  }
}

class InternedWord implements KeyWords {
  readonly width = 1
  readonly #field: Field
  readonly #interner = new BytesInterner()

  constructor(field: Field) {
    this.#field = field
  }

  get byteSize(): number {
    return this.#interner.byteSize
  }

  pack(column: Column, selection: Int32Array | null, rows: number, keys: Int32Array, at: number, stride: number): void {
    assert('bytes' in column, 'a key column of bytes')
    const { offsets, bytes } = column
    for (let i = 0; i < rows; i += 1) {
      const row = selection === null ? i : (selection[i] as number)
      keys[at + i * stride] = this.#interner.intern(bytes, offsets[row] as number, offsets[row + 1] as number)
    }
  }

  unpack(words: Int32Array, groups: Int32Array, at: number, stride: number): Column {
    const { length } = groups
    const offsets = new Int32Array(length + 1)
    for (let i = 0; i < length; i += 1) {
      const id = words[at + (groups[i] as number) * stride] as number
      offsets[i + 1] = (offsets[i] as number) + this.#interner.endOf(id) - this.#interner.startOf(id)
    }
    const bytes = new Uint8Array(offsets[length] as number)
    const source = this.#interner.bytes
    for (let i = 0; i < length; i += 1) {
      const id = words[at + (groups[i] as number) * stride] as number
      bytes.set(source.subarray(this.#interner.startOf(id), this.#interner.endOf(id)), offsets[i] as number)
    }
    const { kind } = emptyColumn(this.#field) as BinaryColumn
    return { kind, length, validity: null, offsets, bytes }
  }
}

/** Adds a word that is 1 for a null, whose value words are all 0. */
class NullableWords implements KeyWords {
  readonly width: number
  readonly #words: KeyWords

  constructor(words: KeyWords) {
    this.#words = words
    this.width = words.width + 1
  }

  get byteSize(): number {
    return this.#words.byteSize
  }

  pack(column: Column, selection: Int32Array | null, rows: number, keys: Int32Array, at: number, stride: number): void {
    const flag = this.width - 1
    this.#words.pack(column, selection, rows, keys, at, stride)
    const { validity } = column
    for (let i = 0; i < rows; i += 1) {
      const isNull = validity !== null && bit(validity, selection === null ? i : (selection[i] as number)) === 0
      keys[at + i * stride + flag] = isNull ? 1 : 0
      // what lies under a null means nothing and must not make two groups
      if (isNull) for (let word = 0; word < flag; word += 1) keys[at + i * stride + word] = 0
    }
  }

  unpack(words: Int32Array, groups: Int32Array, at: number, stride: number): Column {
    const { length } = groups
    const flag = at + this.width - 1
    if (!groups.some(group => words[flag + group * stride] === 1)) return this.#words.unpack(words, groups, at, stride)
    const validity = new Uint8Array((length + 7) >> 3)
    for (let i = 0; i < length; i += 1) {
      const valid = words[flag + (groups[i] as number) * stride] === 1 ? 0 : 1
      validity[i >> 3] = (validity[i >> 3] as number) | (valid << (i & 7))
    }
    // under a null lies whatever value has the words 0; nobody reads it
    return { ...this.#words.unpack(words, groups, at, stride), validity }
  }
}
