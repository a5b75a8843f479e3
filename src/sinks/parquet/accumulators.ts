import { assert } from '../../base/assert.ts'
import type { ScalarColumn } from '../../columnar/column.ts'
import { elementType } from '../../columnar/column-builder.ts'
import type { Field } from '../../columnar/schema.ts'
import { BinaryAccumulator } from './binary-accumulator.ts'
import type { ColumnAccumulator } from './column-accumulator.ts'
import { BoolAccumulator, FixedWidthAccumulator } from './fixed-width-accumulators.ts'
import { ListAccumulator } from './list-accumulator.ts'

/** An empty column for values of `field`. */
export const columnAccumulator = (field: Field): ColumnAccumulator =>
  field.type.startsWith('list<')
    ? new ListAccumulator(scalarAccumulator(elementField(field)))
    : scalarAccumulator(field)

/** The elements of a list column; they may be null. */
export const elementField = (field: Field): Field => ({
  name: 'element',
  type: elementType(field.type),
  nullable: true,
})

const scalarAccumulator = ({ type }: Field): ColumnAccumulator<ScalarColumn> => {
  switch (type) {
    case 'bool':
      return new BoolAccumulator()
    case 'int32':
    case 'date':
    case 'float32':
      return new FixedWidthAccumulator(type, 1)
    case 'int64':
    case 'timestamp':
    case 'float64':
      return new FixedWidthAccumulator(type, 2)
    case 'string':
    case 'json':
    case 'bytes':
      return new BinaryAccumulator(type)
    default:
      assert(false, `${type} is a scalar type`)
  }
}
