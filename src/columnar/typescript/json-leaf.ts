import { assertNever } from '../../base/assert.ts'
import { BinaryBuilder } from '../binary-builder.ts'
import { columnBuilder, elementType, ListBuilder, type ScalarBuilder } from '../column-builder.ts'
import { BoolBuilder, Float32Builder, Float64Builder, Int32Builder, Int64Builder } from '../fixed-width-builders.ts'
import type { Field } from '../schema.ts'

/** Where a scalar of one kind is put: says how the JSON value is read, and holds the builder that takes it. */
export type ScalarTarget =
  | { readonly kind: 'string' | 'json' | 'bytes'; readonly builder: BinaryBuilder }
  | { readonly kind: 'int32' | 'date'; readonly builder: Int32Builder }
  | { readonly kind: 'int64' | 'iso8601'; readonly builder: Int64Builder }
  | { readonly kind: 'float64'; readonly builder: Float64Builder }
  | { readonly kind: 'float32'; readonly builder: Float32Builder }
  | { readonly kind: 'bool'; readonly builder: BoolBuilder }

/** A column in the making, and where it stands in the schema. */
export interface Leaf {
  readonly index: number
  readonly field: Field
  readonly builder: ScalarBuilder | ListBuilder
  /** Where a value goes, or an element where the column is a list. */
  readonly target: ScalarTarget
  /** The builder again where the column is a list. */
  readonly list: ListBuilder | null
}

/** The empty column number `index` of a schema. */
export const makeLeaf = (field: Field, index: number): Leaf => {
  const builder = columnBuilder(field)
  if (builder instanceof ListBuilder) {
    return { index, field, builder, target: scalarTarget(field, builder.child), list: builder }
  }
  return { index, field, builder, target: scalarTarget(field, builder), list: null }
}

const scalarTarget = (field: Field, builder: ScalarBuilder): ScalarTarget => {
  const type = elementType(field.type)
  if (builder instanceof BinaryBuilder) {
    return { kind: type === 'json' || type === 'bytes' ? type : 'string', builder }
  }
  if (builder instanceof Int32Builder) return { kind: type === 'date' ? 'date' : 'int32', builder }
  if (builder instanceof Int64Builder) {
    const text = type === 'timestamp' && field.timestampText === 'iso8601'
    return { kind: text ? 'iso8601' : 'int64', builder }
  }
  if (builder instanceof Float64Builder) return { kind: 'float64', builder }
  if (builder instanceof Float32Builder) return { kind: 'float32', builder }
  if (builder instanceof BoolBuilder) return { kind: 'bool', builder }
  return assertNever(builder)
}
