import type { BoolColumn, Float32Column, FloatColumn, Int32Column, Int64Column } from './column.ts'
import { BuilderBase, type ColumnBuilder, DEFAULT_CAPACITY } from './column-builder-base.ts'
import type { Field } from './schema.ts'

const TWO_POW_32 = 0x1_0000_0000

/** Builds bool columns, a bit per row. */
export class BoolBuilder extends BuilderBase implements ColumnBuilder {
  private values: Uint8Array

  constructor(field: Field, capacity: number = DEFAULT_CAPACITY) {
    super(field)
    this.values = new Uint8Array((capacity >> 3) + 1)
  }

  append(value: unknown): void {
    if (typeof value === 'boolean') this.appendBool(value)
    else if (value === null || value === undefined) this.appendNull()
    else throw this.rejected(value)
  }

  appendBool(value: boolean): void {
    this.markValid()
    this.put(value)
  }

  finish(): BoolColumn {
    const { length } = this
    const values = this.values.slice(0, (length + 7) >> 3)
    if ((length & 7) !== 0) values[length >> 3] = (values[length >> 3] as number) & ((1 << (length & 7)) - 1)
    const validity = this.takeValidity()
    this.length = 0
    return { kind: 'bool', length, validity, values }
  }

  protected addNull(): void {
    this.markNull()
    this.put(false)
  }

  private put(value: boolean): void {
    const at = this.length >> 3
    if (at >= this.values.length) this.values = grow(this.values, new Uint8Array(this.values.length * 2))
    const mask = 1 << (this.length & 7)
    const old = this.values[at] as number
    this.values[at] = value ? old | mask : old & ~mask
    this.length++
  }
}

/** Builds int32 and date columns. */
export class Int32Builder extends BuilderBase implements ColumnBuilder {
  private values: Int32Array

  constructor(field: Field, capacity: number = DEFAULT_CAPACITY) {
    super(field)
    this.values = new Int32Array(Math.max(1, capacity))
  }

  append(value: unknown): void {
    if (typeof value === 'number' && (value | 0) === value) this.appendNumber(value)
    else if (value === null || value === undefined) this.appendNull()
    else throw this.rejected(value)
  }

  /** Takes a whole number within int32, unchecked. */
  appendNumber(value: number): void {
    this.markValid()
    this.put(value)
  }

  finish(): Int32Column {
    const { length } = this
    const values = this.values.slice(0, length)
    const validity = this.takeValidity()
    this.length = 0
    return { kind: this.field.type === 'date' ? 'date' : 'int32', length, validity, values }
  }

  protected addNull(): void {
    this.markNull()
    this.put(0)
  }

  private put(value: number): void {
    const at = this.length
    if (at >= this.values.length) this.values = grow(this.values, new Int32Array(at * 2))
    this.values[at] = value
    this.length = at + 1
  }
}

/** Builds int64 and timestamp columns as pairs of 32-bit words (low first, as in Arrow), without a BigInt per row. */
export class Int64Builder extends BuilderBase implements ColumnBuilder {
  private words: Int32Array

  constructor(field: Field, capacity: number = DEFAULT_CAPACITY) {
    super(field)
    this.words = new Int32Array(Math.max(1, capacity) * 2)
  }

  append(value: unknown): void {
    if (typeof value === 'number' && Number.isSafeInteger(value)) this.appendNumber(value)
    else if (typeof value === 'bigint' && this.field.type !== 'timestamp') this.appendBigInt(value)
    else if (value === null || value === undefined) this.appendNull()
    else throw this.rejected(value)
  }

  /** Takes a whole number of at most 2^53 in either direction, unchecked. */
  appendNumber(value: number): void {
    const high = Math.floor(value / TWO_POW_32)
    this.appendInt64Parts(high, value - high * TWO_POW_32)
  }

  /** `appendNumber(numbers[0])`, but the number is never boxed, whatever the compiler inlines. */
  appendFirst(numbers: Float64Array): void {
    const value = numbers[0] as number
    const high = Math.floor(value / TWO_POW_32)
    this.markValid()
    this.put(high, (value - high * TWO_POW_32) | 0)
  }

  /** Takes the upper and the lower 32 bits; both wrap around, so that signed and unsigned words will do. */
  appendInt64Parts(high: number, low: number): void {
    this.markValid()
    this.put(high, low)
  }

  finish(): Int64Column {
    const { length } = this
    const values = new BigInt64Array(this.words.slice(0, 2 * length).buffer)
    const validity = this.takeValidity()
    this.length = 0
    return { kind: this.field.type === 'timestamp' ? 'timestamp' : 'int64', length, validity, values }
  }

  protected addNull(): void {
    this.markNull()
    this.put(0, 0)
  }

  private appendBigInt(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) throw this.rejected(value)
    this.appendInt64Parts(Number(value >> 32n), Number(BigInt.asUintN(32, value)))
  }

  private put(high: number, low: number): void {
    const at = 2 * this.length
    if (at >= this.words.length) this.words = grow(this.words, new Int32Array(at * 2))
    this.words[at] = low
    this.words[at + 1] = high
    this.length++
  }
}

/** What float columns share; numbers are rounded as the array does it. */
abstract class FloatBuilder<Values extends Float32Array | Float64Array> extends BuilderBase {
  protected values: Values

  constructor(field: Field, values: Values) {
    super(field)
    this.values = values
  }

  append(value: unknown): void {
    if (typeof value === 'number') this.appendNumber(value)
    else if (value === null || value === undefined) this.appendNull()
    else throw this.rejected(value)
  }

  appendNumber(value: number): void {
    this.markValid()
    this.put(value)
  }

  /** `appendNumber(numbers[0])`, but the number is never boxed, whatever the compiler inlines. */
  appendFirst(numbers: Float64Array): void {
    this.markValid()
    const at = this.length
    if (at >= this.values.length) this.values = this.larger(at * 2)
    this.values[at] = numbers[0] as number
    this.length = at + 1
  }

  /** An array of so many values that begins with those that are there. */
  protected abstract larger(length: number): Values

  protected addNull(): void {
    this.markNull()
    this.put(0)
  }

  private put(value: number): void {
    const at = this.length
    if (at >= this.values.length) this.values = this.larger(at * 2)
    this.values[at] = value
    this.length = at + 1
  }
}

/** Builds float64 columns. */
export class Float64Builder extends FloatBuilder<Float64Array> implements ColumnBuilder {
  constructor(field: Field, capacity: number = DEFAULT_CAPACITY) {
    super(field, new Float64Array(Math.max(1, capacity)))
  }

  finish(): FloatColumn {
    const { length } = this
    const values = this.values.slice(0, length)
    const validity = this.takeValidity()
    this.length = 0
    return { kind: 'float64', length, validity, values }
  }

  protected larger(length: number): Float64Array {
    return grow(this.values, new Float64Array(length))
  }
}

/** Builds float32 columns; numbers are rounded to the nearest float32. */
export class Float32Builder extends FloatBuilder<Float32Array> implements ColumnBuilder {
  constructor(field: Field, capacity: number = DEFAULT_CAPACITY) {
    super(field, new Float32Array(Math.max(1, capacity)))
  }

  finish(): Float32Column {
    const { length } = this
    const values = this.values.slice(0, length)
    const validity = this.takeValidity()
    this.length = 0
    return { kind: 'float32', length, validity, values }
  }

  protected larger(length: number): Float32Array {
    return grow(this.values, new Float32Array(length))
  }
}

const grow = <A extends { set(from: A): void }>(old: A, grown: A): A => {
  grown.set(old)
  return grown
}
