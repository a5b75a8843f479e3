import { assert } from '../../../base/assert.ts'
import { MillraceError } from '../../../base/errors.ts'
import type { Column } from '../../column.ts'
import { type Accumulator, takeGroups, takePairs, validityOf } from './accumulator.ts'
import { Count } from './count.ts'
import type { GroupedRows, NumberValues } from './loops.ts'
import type { GroupParts } from './parts.ts'

/**
 * Sums of integers, exact in 64 bits. Throws as soon as a sum on the way does not fit, since partial sums are 64 bits wide:
 * numbers near the limit that cancel out may overflow in one order and not in another.
 */
export class IntegerSum implements Accumulator {
  readonly #parts: GroupParts
  readonly #name: string
  #sums = new Int32Array(0)
  #seen = new Uint8Array(0)

  /** @param name Of the column, for messages. */
  constructor(parts: GroupParts, name: string) {
    this.#parts = parts
    this.#name = name
  }

  get byteSize(): number {
    return this.#sums.byteLength + this.#seen.byteLength
  }

  add(column: Column | null, rows: GroupedRows): void {
    const values = numbersOf(column)
    assert(values instanceof Int32Array || values instanceof BigInt64Array, 'integers')
    const { space, loops } = this.#parts
    this.#sums = space.grown(this.#sums, 2 * rows.groups)
    this.#seen = space.grown(this.#seen, rows.groups)
    const fits = loops.sumIntegers(this.#sums, this.#seen, { values, validity: column?.validity ?? null, rows })
    if (!fits) throw this.#overflow()
  }

  merge([column]: readonly Column[], rows: GroupedRows): void {
    this.add(column ?? null, rows)
  }

  columns(groups: Int32Array): readonly Column[] {
    const values = takePairs(this.#sums, groups, 0, 2)
    return [{ kind: 'int64', length: groups.length, validity: validityOf(this.#seen, groups), values }]
  }

  #overflow(): MillraceError {
    return new MillraceError('INTEGER_OVERFLOW', `sum(${this.#name}) does not fit 64 bits`, {
      remedy: 'Sum a float64 column instead (withColumn), or use smaller windows.',
      details: { column: this.#name },
    })
  }
}

/** Sums of floats, in the order of the rows. */
export class FloatSum implements Accumulator {
  readonly #parts: GroupParts
  #sums = new Float64Array(0)
  #seen = new Uint8Array(0)

  constructor(parts: GroupParts) {
    this.#parts = parts
  }

  get byteSize(): number {
    return this.#sums.byteLength + this.#seen.byteLength
  }

  add(column: Column | null, rows: GroupedRows): void {
    const { space, loops } = this.#parts
    this.#sums = space.grown(this.#sums, rows.groups)
    this.#seen = space.grown(this.#seen, rows.groups)
    loops.sumDoubles(this.#sums, this.#seen, { values: numbersOf(column), validity: column?.validity ?? null, rows })
  }

  merge([column]: readonly Column[], rows: GroupedRows): void {
    this.add(column ?? null, rows)
  }

  columns(groups: Int32Array): readonly Column[] {
    const values = takeGroups(new Float64Array(groups.length), this.#sums, groups)
    return [{ kind: 'float64', length: groups.length, validity: validityOf(this.#seen, groups), values }]
  }
}

/** A mean is a sum and a count until the end. */
export class Average implements Accumulator {
  readonly #sum: FloatSum
  readonly #count: Count

  constructor(parts: GroupParts) {
    this.#sum = new FloatSum(parts)
    this.#count = new Count(parts)
  }

  get byteSize(): number {
    return this.#sum.byteSize + this.#count.byteSize
  }

  add(column: Column | null, rows: GroupedRows): void {
    this.#sum.add(column, rows)
    this.#count.add(column, rows)
  }

  merge(columns: readonly Column[], rows: GroupedRows): void {
    this.#sum.merge(columns.slice(0, 1), rows)
    this.#count.merge(columns.slice(1), rows)
  }

  columns(groups: Int32Array): readonly Column[] {
    const [sum] = this.#sum.columns(groups)
    assert(sum !== undefined, 'a sum has a column')
    return [{ ...sum, validity: null }, ...this.#count.columns(groups)]
  }
}

/** The values of a column of numbers. */
export const numbersOf = (column: Column | null): NumberValues => {
  assert(column !== null && 'values' in column && column.kind !== 'bool', 'a column of numbers')
  return column.values
}
