import { elementType } from '../column-builder.ts'
import type { BadRecordReason } from '../kernels.ts'
import type { Field, ScalarType, TableSchema } from '../schema.ts'

/** How the kernel reads and puts a value: the numbers of `assembly/json-leaf.ts`. */
const KINDS: Readonly<Record<ScalarType, number>> = {
  bool: 0,
  int32: 1,
  int64: 2,
  timestamp: 2,
  float32: 3,
  float64: 4,
  string: 5,
  json: 6,
  bytes: 7,
  date: 8,
}
const ISO8601 = 9

/** The reasons of `assembly/json-decoder.ts`, by their number. */
export const REASONS: readonly BadRecordReason[] = [
  'nullValue',
  'tooLarge',
  'invalidJson',
  'notAnObject',
  'missingColumn',
  'wrongType',
  'outOfRange',
  'invalidUtf8',
]

/** Words of a leaf in the kernel's memory, and what each of them says. */
export const LEAF_WORDS = 10
export const LEAF = {
  kind: 0,
  flags: 1,
  values: 2,
  offsets: 3,
  validity: 4,
  listOffsets: 5,
  listValidity: 6,
  nulls: 7,
} as const

/** A column of the schema as the kernel sees it. */
export interface LeafLayout {
  readonly field: Field
  /** The field's type, or that of its elements. */
  readonly type: ScalarType
  readonly isList: boolean
  readonly kind: number
  readonly flags: number
  /** Bits of a value; 0 where lengths vary. */
  readonly bits: number
}

/** The columns of a schema in their order. */
export const leafLayouts = (schema: TableSchema): readonly LeafLayout[] =>
  schema.fields.map(field => {
    const type = elementType(field.type)
    const isList = field.type !== type
    const isText = type === 'timestamp' && field.timestampText === 'iso8601'
    const flags = (field.nullable ? 1 : 0) + (isList ? 2 : 0)
    return { field, type, isList, kind: isText ? ISO8601 : KINDS[type], flags, bits: bitsOf(type) }
  })

const bitsOf = (type: ScalarType): number => {
  switch (type) {
    case 'bool':
      return 1
    case 'int32':
    case 'date':
    case 'float32':
      return 32
    case 'int64':
    case 'timestamp':
    case 'float64':
      return 64
    default:
      return 0
  }
}
