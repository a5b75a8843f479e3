import { BinaryBuilder } from './binary-builder.ts'
import type { ListColumn } from './column.ts'
import { BuilderBase, type ColumnBuilder, DEFAULT_CAPACITY } from './column-builder-base.ts'
import { BoolBuilder, Float32Builder, Float64Builder, Int32Builder, Int64Builder } from './fixed-width-builders.ts'
import type { ColumnType, Field, ScalarType } from './schema.ts'

export type { ColumnBuilder } from './column-builder-base.ts'

/** A builder for any type but lists. */
export type ScalarBuilder = BoolBuilder | Int32Builder | Int64Builder | Float64Builder | Float32Builder | BinaryBuilder

/** Builds list columns. Elements are appended to `child`, which may hold nulls; `endList` closes the row. */
export class ListBuilder extends BuilderBase implements ColumnBuilder {
  readonly child: ScalarBuilder
  private offsets: Int32Array

  constructor(field: Field, capacity: number = DEFAULT_CAPACITY) {
    super(field)
    this.child = scalarBuilder({ ...field, type: elementType(field.type), nullable: true }, capacity)
    this.offsets = new Int32Array(Math.max(1, capacity) + 1)
  }

  append(value: unknown): void {
    if (Array.isArray(value)) this.appendArray(value)
    else if (value === null || value === undefined) this.appendNull()
    else throw this.rejected(value)
  }

  /** Makes a row of the elements that `child` took since the last row. */
  endList(): void {
    this.markValid()
    this.endRow()
  }

  /** Drops the elements that `child` took since the last row. */
  abandonList(): void {
    this.child.rollbackTo(this.offsets[this.length] as number)
  }

  finish(): ListColumn {
    const { length } = this
    const offsets = this.offsets.slice(0, length + 1)
    const validity = this.takeValidity()
    this.length = 0
    return { kind: 'list', length, validity, offsets, child: this.child.finish() }
  }

  override rollbackTo(length: number): void {
    super.rollbackTo(length)
    this.abandonList()
  }

  protected addNull(): void {
    this.markNull()
    this.endRow()
  }

  private appendArray(elements: readonly unknown[]): void {
    try {
      for (const element of elements) this.child.append(element)
    } catch (error) {
      this.abandonList()
      throw error
    }
    this.endList()
  }

  private endRow(): void {
    const next = this.length + 1
    if (next >= this.offsets.length) {
      const grown = new Int32Array(next * 2)
      grown.set(this.offsets)
      this.offsets = grown
    }
    this.offsets[next] = this.child.length
    this.length = next
  }
}

/** An empty builder for columns of `field`, with room for `capacity` rows before it has to grow. */
export const columnBuilder = (field: Field, capacity: number = DEFAULT_CAPACITY): ScalarBuilder | ListBuilder =>
  field.type.startsWith('list<') ? new ListBuilder(field, capacity) : scalarBuilder(field, capacity)

/** The type of the elements of a list type; a scalar type is its own. */
export const elementType = (type: ColumnType): ScalarType =>
  (type.startsWith('list<') ? type.slice('list<'.length, -1) : type) as ScalarType

const scalarBuilder = (field: Field, capacity: number): ScalarBuilder => {
  switch (elementType(field.type)) {
    case 'bool':
      return new BoolBuilder(field, capacity)
    case 'int32':
    case 'date':
      return new Int32Builder(field, capacity)
    case 'int64':
    case 'timestamp':
      return new Int64Builder(field, capacity)
    case 'float32':
      return new Float32Builder(field, capacity)
    case 'float64':
      return new Float64Builder(field, capacity)
    case 'string':
    case 'json':
    case 'bytes':
      return new BinaryBuilder(field, capacity)
  }
}
