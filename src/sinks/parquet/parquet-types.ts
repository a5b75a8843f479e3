import { elementType } from '../../columnar/column-builder.ts'
import type { Field, ScalarType, TableSchema } from '../../columnar/schema.ts'
import { bool, i32, list, struct, type ThriftValue, text } from './thrift.ts'

/** Numbers of Parquet's enums (parquet.thrift of the format 2.11). */
export const ENCODING = { plain: 0, rle: 3, rleDictionary: 8 } as const
export const PAGE = { data: 0, dictionary: 2 } as const
export const SNAPPY = 1
const REPETITION = { required: 0, optional: 1, repeated: 2 } as const
const LIST_CONVERTED = 3

interface TypeNumbers {
  /** Physical type. */
  readonly physical: number
  /** The older annotation, for older readers. */
  readonly converted: number | null
  readonly logical: ThriftValue | null
}

const EMPTY = struct()
const UTC_MILLIS = struct([1, bool(true)], [2, struct([1, EMPTY])])
const signed = (converted: number | null, physical: number): TypeNumbers => ({ physical, converted, logical: null })
const UTF8: TypeNumbers = { physical: 6, converted: 0, logical: struct([1, EMPTY]) }

/** `json` is plain text: every reader takes that. */
const TYPES: Readonly<Record<ScalarType, TypeNumbers>> = {
  bool: signed(null, 0),
  int32: signed(null, 1),
  int64: signed(null, 2),
  float32: signed(null, 4),
  float64: signed(null, 5),
  string: UTF8,
  json: UTF8,
  bytes: signed(null, 6),
  timestamp: { physical: 2, converted: 9, logical: struct([8, UTC_MILLIS]) },
  date: { physical: 1, converted: 6, logical: struct([6, EMPTY]) },
}

/** A column of values within a file: a scalar column, or the elements of a list. */
export interface Leaf {
  readonly field: Field
  readonly type: ScalarType
  readonly isList: boolean
  readonly physical: number
  /** Names from the root to the values. */
  readonly path: readonly string[]
}

/** How a column lies in the file. */
export const leafOf = (field: Field): Leaf => {
  const type = elementType(field.type)
  const isList = type !== field.type
  const path = isList ? [field.name, 'list', 'element'] : [field.name]
  return { field, type, isList, physical: TYPES[type].physical, path }
}

/** The elements of a file's schema, from the root, parents before their children. */
export const schemaElements = (schema: TableSchema): ThriftValue =>
  list('struct', [
    struct([4, text('schema')], [5, i32(schema.fields.length)]),
    ...schema.fields.flatMap(field => elementsOf(leafOf(field))),
  ])

const elementsOf = ({ field, type, isList }: Leaf): readonly ThriftValue[] => {
  const repetition = field.nullable ? REPETITION.optional : REPETITION.required
  if (!isList) return [valueElement(field.name, type, repetition)]
  return [
    struct(
      [3, i32(repetition)],
      [4, text(field.name)],
      [5, i32(1)],
      [6, i32(LIST_CONVERTED)],
      [10, struct([3, EMPTY])],
    ),
    struct([3, i32(REPETITION.repeated)], [4, text('list')], [5, i32(1)]),
    valueElement('element', type, REPETITION.optional),
  ]
}

const valueElement = (name: string, type: ScalarType, repetition: number): ThriftValue => {
  const { physical, converted, logical } = TYPES[type]
  return struct(
    [1, i32(physical)],
    [3, i32(repetition)],
    [4, text(name)],
    [6, converted === null ? null : i32(converted)],
    [10, logical],
  )
}
