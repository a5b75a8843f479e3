import { MillraceError } from '../base/errors.ts'
import type { Column } from './column.ts'
import type { Field } from './schema.ts'

/**
 * A column that grows row by row. Made once and used for many batches: `finish` hands out exact-size copies and
 * keeps the memory for the next batch. The concrete classes have typed, unchecked fast paths beside `append`.
 */
export interface ColumnBuilder {
  /** Rows so far. */
  readonly length: number
  /**
   * Takes a JavaScript value: boolean; number for int32, float32, float64, timestamp (whole epoch milliseconds) and
   * date (days since 1970-01-01); bigint or safe integer for int64; string for string and json (not parsed);
   * Uint8Array for bytes; array for lists (elements may be null). null and undefined make a null.
   *
   * @throws STAGE_FAILED for a value of another kind or out of range, and for null in a column that is not nullable.
   */
  append(value: unknown): void
  /** @throws STAGE_FAILED where the column is not nullable. */
  appendNull(): void
  /** The rows as a column of its own memory; the builder is empty afterwards. */
  finish(): Column
  /** Drops the rows from `length` on. */
  rollbackTo(length: number): void
}

/** Rows a builder has room for at first, unless told. */
export const DEFAULT_CAPACITY = 1024

/** What all builders share: the count of rows and the validity bitmap, which exists only once a null has come. */
export abstract class BuilderBase {
  length = 0
  protected readonly field: Field
  private validity: Uint8Array | null = null
  private nulls = 0

  constructor(field: Field) {
    this.field = field
  }

  appendNull(): void {
    if (!this.field.nullable) throw this.rejected(null)
    this.addNull()
  }

  rollbackTo(length: number): void {
    if (this.nulls > 0) this.nulls -= this.nullsFrom(length)
    this.length = length
  }

  /** Appends a null whatever the field says, with a placeholder beneath it. */
  protected abstract addNull(): void

  /** Call before `length` is raised for a row that is not null. */
  protected markValid(): void {
    if (this.nulls > 0) this.setBit(1)
  }

  /** Call before `length` is raised for a null. */
  protected markNull(): void {
    if (this.nulls === 0) this.startBitmap()
    this.nulls++
    this.setBit(0)
  }

  protected takeValidity(): Uint8Array | null {
    const bitmap = this.nulls === 0 || this.validity === null ? null : this.validity.slice(0, (this.length + 7) >> 3)
    // Bits beyond the last row may be left over from rows that were rolled back.
    if (bitmap !== null && (this.length & 7) !== 0) {
      const last = bitmap.length - 1
      bitmap[last] = (bitmap[last] as number) & ((1 << (this.length & 7)) - 1)
    }
    this.nulls = 0
    return bitmap
  }

  /** The error for a value that this column can't hold. */
  protected rejected(value: unknown): MillraceError {
    const { name, type, nullable } = this.field
    const expected = nullable ? `${type} or null` : type
    return new MillraceError('STAGE_FAILED', `column ${name} holds ${expected}, but got ${describe(value)}`, {
      remedy: `Return a value of type ${expected} for column ${name}, or change the type of the column in the schema.`,
      details: { column: name, type },
    })
  }

  private startBitmap(): void {
    const bytes = Math.max(64, (this.length >> 3) + 1)
    if (this.validity === null || this.validity.length < bytes) this.validity = new Uint8Array(bytes * 2)
    this.validity.fill(0xff, 0, (this.length >> 3) + 1)
  }

  private setBit(bit: 0 | 1): void {
    const at = this.length >> 3
    let bitmap = this.validity as Uint8Array
    if (at >= bitmap.length) {
      const grown = new Uint8Array(bitmap.length * 2)
      grown.set(bitmap)
      this.validity = bitmap = grown
    }
    const mask = 1 << (this.length & 7)
    bitmap[at] = bit === 1 ? (bitmap[at] as number) | mask : (bitmap[at] as number) & ~mask
  }

  private nullsFrom(length: number): number {
    const bitmap = this.validity as Uint8Array
    let nulls = 0
    for (let row = length; row < this.length; row++) {
      if (((bitmap[row >> 3] as number) & (1 << (row & 7))) === 0) nulls++
    }
    return nulls
  }
}

const describe = (value: unknown): string => {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'string') return `the string ${JSON.stringify(value.slice(0, 40))}`
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : `an object (${value.constructor?.name})`
  return `the ${typeof value} ${String(value).slice(0, 40)}`
}
