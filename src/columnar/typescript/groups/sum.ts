import { assert } from '../../../base/assert.ts'
import { MillraceError } from '../../../base/errors.ts'
import type { Column } from '../../column.ts'
import { type Accumulator, isNull, takeGroups, validityOf, wordsOf } from './accumulator.ts'
import type { CountAccumulator } from './count.ts'
import type { GroupSpace } from './space.ts'

/**
 * Sums of integers as pairs of 32-bit words, added with carry: exact in 64 bits, without a BigInt. Throws as soon as a
 * sum on the way does not fit, since partial sums are 64 bits wide: numbers near the limit that cancel out may overflow
 * in one order and not in another.
 */
export class IntegerSum implements Accumulator {
  protected readonly space: GroupSpace
  protected low = new Int32Array(0)
  protected high = new Int32Array(0)
  protected seen = new Uint8Array(0)
  readonly #name: string

  /** @param name Of the column, for messages. */
  constructor(space: GroupSpace, name: string) {
    this.space = space
    this.#name = name
  }

  get byteSize(): number {
    return this.low.byteLength + this.high.byteLength + this.seen.byteLength
  }

  add(column: Column | null, selection: Int32Array | null, groupOf: Int32Array, rows: number, groups: number): void {
    assert(column !== null, 'sum() has a column')
    this.reserve(groups)
    this.addValues(column, selection, groupOf, rows)
  }

  merge(
    [column]: readonly Column[],
    selection: Int32Array | null,
    groupOf: Int32Array,
    rows: number,
    groups: number,
  ): void {
    this.add(column ?? null, selection, groupOf, rows, groups)
  }

  columns(groups: Int32Array): readonly Column[] {
    const words = new Int32Array(groups.length * 2)
    for (let i = 0; i < groups.length; i += 1) {
      words[2 * i] = this.low[groups[i] as number] as number
      words[2 * i + 1] = this.high[groups[i] as number] as number
    }
    const values = new BigInt64Array(words.buffer)
    return [{ kind: 'int64', length: groups.length, validity: validityOf(this.seen, groups), values }]
  }

  protected reserve(groups: number): void {
    this.low = this.space.grown(this.low, groups)
    this.high = this.space.grown(this.high, groups)
    this.seen = this.space.grown(this.seen, groups)
  }

  protected addValues(column: Column, selection: Int32Array | null, groupOf: Int32Array, rows: number): void {
    if (column.kind === 'int32') this.#addInts(column.values, column.validity, selection, groupOf, rows)
    else this.#addLongs(wordsOf(column), column.validity, selection, groupOf, rows)
  }

  #addInts(
    values: Int32Array,
    validity: Uint8Array | null,
    selection: Int32Array | null,
    groupOf: Int32Array,
    rows: number,
  ): void {
    for (let i = 0; i < rows; i += 1) {
      const row = selection === null ? i : (selection[i] as number)
      if (validity !== null && isNull(validity, row)) continue
      const value = values[row] as number
      this.#addWords(groupOf[i] as number, value, value >> 31)
    }
  }

  #addLongs(
    words: Int32Array,
    validity: Uint8Array | null,
    selection: Int32Array | null,
    groupOf: Int32Array,
    rows: number,
  ): void {
    for (let i = 0; i < rows; i += 1) {
      const row = selection === null ? i : (selection[i] as number)
      if (validity !== null && isNull(validity, row)) continue
      this.#addWords(groupOf[i] as number, words[2 * row] as number, words[2 * row + 1] as number)
    }
  }

  #addWords(group: number, low: number, high: number): void {
    const lowSum = ((this.low[group] as number) >>> 0) + (low >>> 0)
    const highSum = (this.high[group] as number) + high + (lowSum > 0xffff_ffff ? 1 : 0)
    if (highSum !== (highSum | 0)) throw this.overflow()
    this.low[group] = lowSum | 0
    this.high[group] = highSum
    this.seen[group] = 1
  }

  protected overflow(): MillraceError {
    return new MillraceError('INTEGER_OVERFLOW', `sum(${this.#name}) does not fit 64 bits`, {
      remedy: 'Sum a float64 column instead (withColumn), or use smaller windows.',
      details: { column: this.#name },
    })
  }
}

/** Sums of floats, in the order of the rows. */
export class FloatSum implements Accumulator {
  protected readonly space: GroupSpace
  protected sums = new Float64Array(0)
  protected seen = new Uint8Array(0)

  constructor(space: GroupSpace) {
    this.space = space
  }

  get byteSize(): number {
    return this.sums.byteLength + this.seen.byteLength
  }

  add(column: Column | null, selection: Int32Array | null, groupOf: Int32Array, rows: number, groups: number): void {
    assert(column !== null, 'sum() has a column')
    this.reserve(groups)
    const { validity } = column
    const values = numbersOf(column)
    const { sums, seen } = this
    for (let i = 0; i < rows; i += 1) {
      const row = selection === null ? i : (selection[i] as number)
      if (validity !== null && isNull(validity, row)) continue
      const group = groupOf[i] as number
      sums[group] = (sums[group] as number) + (values[row] as number)
      seen[group] = 1
    }
  }

  merge(
    [column]: readonly Column[],
    selection: Int32Array | null,
    groupOf: Int32Array,
    rows: number,
    groups: number,
  ): void {
    this.add(column ?? null, selection, groupOf, rows, groups)
  }

  columns(groups: Int32Array): readonly Column[] {
    const values = takeGroups(new Float64Array(groups.length), this.sums, groups)
    return [{ kind: 'float64', length: groups.length, validity: validityOf(this.seen, groups), values }]
  }

  protected reserve(groups: number): void {
    this.sums = this.space.grown(this.sums, groups)
    this.seen = this.space.grown(this.seen, groups)
  }
}

/** A mean is a sum and a count until the end. */
export class Average implements Accumulator {
  readonly #sum: FloatSum
  readonly #count: CountAccumulator

  constructor(sum: FloatSum, count: CountAccumulator) {
    this.#sum = sum
    this.#count = count
  }

  get byteSize(): number {
    return this.#sum.byteSize + this.#count.byteSize
  }

  add(column: Column | null, selection: Int32Array | null, groupOf: Int32Array, rows: number, groups: number): void {
    this.#sum.add(column, selection, groupOf, rows, groups)
    this.#count.add(column, selection, groupOf, rows, groups)
  }

  merge(
    columns: readonly Column[],
    selection: Int32Array | null,
    groupOf: Int32Array,
    rows: number,
    groups: number,
  ): void {
    this.#sum.merge(columns.slice(0, 1), selection, groupOf, rows, groups)
    this.#count.merge(columns.slice(1), selection, groupOf, rows, groups)
  }

  columns(groups: Int32Array): readonly Column[] {
    const [sum] = this.#sum.columns(groups)
    assert(sum !== undefined, 'a sum has a column')
    return [{ ...sum, validity: null }, ...this.#count.columns(groups)]
  }
}

/** Values of a numeric column as numbers; int64 beyond 2^53 is rounded, as in every float64 sum. */
export const numbersOf = (column: Column): Float64Array | Float32Array | Int32Array => {
  if (column.kind === 'float64' || column.kind === 'float32' || column.kind === 'int32') return column.values
  const words = wordsOf(column)
  const numbers = new Float64Array(column.length)
  for (let row = 0; row < column.length; row += 1) {
    numbers[row] = (words[2 * row + 1] as number) * 0x1_0000_0000 + ((words[2 * row] as number) >>> 0)
  }
  return numbers
}
