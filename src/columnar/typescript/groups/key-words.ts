import { assert } from '../../../base/assert.ts'
import type { BinaryColumn, Column } from '../../column.ts'
import { emptyColumn } from '../../empty-column.ts'
import { takeColumn } from '../../gather.ts'
import { int64Words } from '../../int64-words.ts'
import type { Field } from '../../schema.ts'
import type { ValueDictionary } from '../../value-dictionary.ts'
import { takePairs } from './accumulator.ts'
import type { GroupLoops } from './loops.ts'
import type { GroupParts } from './parts.ts'

/**
 * One key column as 32-bit words: `width` words per key, the last of them a null flag where the column may hold nulls.
 * Texts become their number in a dictionary, floats their bits with one zero and one NaN.
 */
export interface KeyWords {
  readonly width: number
  readonly byteSize: number
  /** Writes the words of the rows (those of `selection`, or all) to keys[at], keys[at + stride], … */
  pack(column: Column, selection: Int32Array | null, rows: number, keys: Int32Array, at: number, stride: number): void
  /** The column of the keys whose words start at words[at + stride * groups[0]], … */
  unpack(words: Int32Array, groups: Int32Array, at: number, stride: number): Column
  /** Gives its memory back. */
  dispose?(): void
}

/** How keys of a field's type become words of a group's key and columns again. */
export const keyWords = (field: Field, parts: GroupParts): KeyWords => {
  const words = valueWords(field, parts)
  return field.nullable ? new NullableWords(words, parts.loops) : words
}

const valueWords = (field: Field, parts: GroupParts): KeyWords => {
  switch (field.type) {
    case 'int32':
    case 'date':
    case 'bool':
      return new OneWord(field.type, parts.loops)
    case 'float32':
      return new FloatWord()
    case 'int64':
    case 'timestamp':
      return new TwoWords(field.type, parts.loops)
    case 'float64':
      return new DoubleWords()
    default:
      return new NumberedText(emptyColumn(field) as BinaryColumn, parts)
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
  readonly #loops: GroupLoops

  constructor(kind: 'int32' | 'date' | 'bool', loops: GroupLoops) {
    this.#kind = kind
    this.#loops = loops
  }

  pack(column: Column, selection: Int32Array | null, rows: number, keys: Int32Array, at: number, stride: number): void {
    if (column.kind === 'bool') {
      for (let i = 0; i < rows; i += 1)
        keys[at + i * stride] = bit(column.values, selection === null ? i : (selection[i] as number))
      return
    }
    assert(column.kind === 'int32' || column.kind === 'date', 'a 32-bit key column')
    this.#loops.packWords(column.values, 1, selection, rows, keys, at, stride)
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

class TwoWords implements KeyWords {
  readonly width = 2
  readonly byteSize = 0
  readonly #kind: 'int64' | 'timestamp'
  readonly #loops: GroupLoops

  constructor(kind: 'int64' | 'timestamp', loops: GroupLoops) {
    this.#kind = kind
    this.#loops = loops
  }

  pack(column: Column, selection: Int32Array | null, rows: number, keys: Int32Array, at: number, stride: number): void {
    assert(column.kind === 'int64' || column.kind === 'timestamp', 'a 64-bit key column')
    this.#loops.packWords(int64Words(column.values), 2, selection, rows, keys, at, stride)
  }

  unpack(words: Int32Array, groups: Int32Array, at: number, stride: number): Column {
    const values = takePairs(words, groups, at, stride)
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
    const values = new Float64Array(takePairs(words, groups, at, stride).buffer)
    return { kind: 'float64', length: groups.length, validity: null, values }
  }
}

/** Texts and bytes: one word, their number in a dictionary. */
class NumberedText implements KeyWords {
  readonly width = 1
  readonly #kind: BinaryColumn['kind']
  readonly #loops: GroupLoops
  readonly #dictionary: ValueDictionary

  constructor({ kind }: BinaryColumn, parts: GroupParts) {
    this.#kind = kind
    this.#loops = parts.loops
    this.#dictionary = parts.dictionary(kind)
  }

  get byteSize(): number {
    // beside each value: where it begins, its hash and two slots
    return this.#dictionary.byteSize + 12 * this.#dictionary.size
  }

  pack(column: Column, selection: Int32Array | null, rows: number, keys: Int32Array, at: number, stride: number): void {
    assert(column.kind === this.#kind, `a key column of ${this.#kind}`)
    // what was filtered out must not get a number
    const texts = selection === null ? column : (takeColumn(column, selection) as BinaryColumn)
    const numbers = this.#dictionary.numbersOf(texts)
    assert(numbers !== null, 'a dictionary without a limit')
    this.#loops.packWords(numbers, 1, null, rows, keys, at, stride)
  }

  unpack(words: Int32Array, groups: Int32Array, at: number, stride: number): Column {
    const numbers = new Int32Array(groups.length)
    for (let i = 0; i < groups.length; i += 1) numbers[i] = words[at + (groups[i] as number) * stride] as number
    return takeColumn(this.#dictionary.values(), numbers)
  }

  dispose(): void {
    this.#dictionary.free()
  }
}

/** Adds a word that is 1 for a null, whose value words are all 0. */
class NullableWords implements KeyWords {
  readonly width: number
  readonly #words: KeyWords
  readonly #loops: GroupLoops

  constructor(words: KeyWords, loops: GroupLoops) {
    this.#words = words
    this.#loops = loops
    this.width = words.width + 1
  }

  get byteSize(): number {
    return this.#words.byteSize
  }

  pack(column: Column, selection: Int32Array | null, rows: number, keys: Int32Array, at: number, stride: number): void {
    const flag = this.width - 1
    this.#words.pack(column, selection, rows, keys, at, stride)
    // what lies under a null means nothing and must not make two groups
    if (column.validity !== null) {
      this.#loops.packNulls(column.validity, flag, selection, rows, keys, at, stride)
      return
    }
    for (let i = 0; i < rows; i += 1) keys[at + i * stride + flag] = 0
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

  dispose(): void {
    this.#words.dispose?.()
  }
}
