import { assert } from '../../../base/assert.ts'
import type { Column } from '../../column.ts'
import { type Accumulator, isNull, takeGroups, validityOf, wordsOf } from './accumulator.ts'
import { grown } from './space.ts'

/** Least (-1) or greatest (1). */
export type Direction = -1 | 1

/** Order of numbers as in DuckDB and Spark: NaN is greater than every number, and equals itself; -0 equals 0. */
const compareNumbers = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : a === b ? 0 : nanOrder(a, b))
const nanOrder = (a: number, b: number): number => Number(Number.isNaN(a)) - Number(Number.isNaN(b))

type NumberColumn = Extract<Column, { kind: 'int32' | 'date' | 'float32' | 'float64' }>

const numberValues = (column: Column): NumberColumn['values'] => {
  assert('values' in column && !(column.values instanceof BigInt64Array) && column.kind !== 'bool', 'a number column')
  return column.values
}

/** min and max of int32, date, float32 and float64. */
export class NumberExtremum implements Accumulator {
  readonly #kind: NumberColumn['kind']
  readonly #direction: Direction
  #values = new Float64Array(64)
  #seen = new Uint8Array(64)

  constructor(kind: NumberColumn['kind'], direction: Direction) {
    this.#kind = kind
    this.#direction = direction
  }

  get byteSize(): number {
    return this.#values.byteLength + this.#seen.byteLength
  }

  add(column: Column | null, selection: Int32Array | null, groupOf: Int32Array, rows: number, groups: number): void {
    assert(column !== null, 'min() and max() have a column')
    this.#values = grown(this.#values, groups)
    this.#seen = grown(this.#seen, groups)
    const values = numberValues(column)
    const { validity } = column
    for (let i = 0; i < rows; i += 1) {
      const row = selection === null ? i : (selection[i] as number)
      if (validity !== null && isNull(validity, row)) continue
      const group = groupOf[i] as number
      const value = values[row] as number
      if (this.#seen[group] === 1 && compareNumbers(value, this.#values[group] as number) * this.#direction <= 0)
        continue
      // adding 0 turns -0 into 0: which of two equal zeros came first must not show
      this.#values[group] = value + 0
      this.#seen[group] = 1
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
    const base = { length: groups.length, validity: validityOf(this.#seen, groups) }
    switch (this.#kind) {
      case 'int32':
      case 'date':
        return [{ ...base, kind: this.#kind, values: takeGroups(new Int32Array(groups.length), this.#values, groups) }]
      case 'float32':
        return [
          { ...base, kind: this.#kind, values: takeGroups(new Float32Array(groups.length), this.#values, groups) },
        ]
      case 'float64':
        return [
          { ...base, kind: this.#kind, values: takeGroups(new Float64Array(groups.length), this.#values, groups) },
        ]
    }
  }
}

/** min and max of int64 and timestamp: compared word by word, exact beyond 2^53. */
export class LongExtremum implements Accumulator {
  readonly #kind: 'int64' | 'timestamp'
  readonly #direction: Direction
  #low = new Int32Array(64)
  #high = new Int32Array(64)
  #seen = new Uint8Array(64)

  constructor(kind: 'int64' | 'timestamp', direction: Direction) {
    this.#kind = kind
    this.#direction = direction
  }

  get byteSize(): number {
    return this.#low.byteLength + this.#high.byteLength + this.#seen.byteLength
  }

  add(column: Column | null, selection: Int32Array | null, groupOf: Int32Array, rows: number, groups: number): void {
    assert(column !== null, 'min() and max() have a column')
    this.#low = grown(this.#low, groups)
    this.#high = grown(this.#high, groups)
    this.#seen = grown(this.#seen, groups)
    const words = wordsOf(column)
    const { validity } = column
    for (let i = 0; i < rows; i += 1) {
      const row = selection === null ? i : (selection[i] as number)
      if (validity !== null && isNull(validity, row)) continue
      const group = groupOf[i] as number
      const low = words[2 * row] as number
      const high = words[2 * row + 1] as number
      if (this.#seen[group] === 1 && this.#compare(group, low, high) * this.#direction <= 0) continue
      this.#low[group] = low
      this.#high[group] = high
      this.#seen[group] = 1
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
    const words = new Int32Array(groups.length * 2)
    for (let i = 0; i < groups.length; i += 1) {
      words[2 * i] = this.#low[groups[i] as number] as number
      words[2 * i + 1] = this.#high[groups[i] as number] as number
    }
    const values = new BigInt64Array(words.buffer)
    return [{ kind: this.#kind, length: groups.length, validity: validityOf(this.#seen, groups), values }]
  }

  #compare(group: number, low: number, high: number): number {
    const byHigh = high - (this.#high[group] as number)
    return byHigh === 0 ? (low >>> 0) - ((this.#low[group] as number) >>> 0) : byHigh
  }
}
