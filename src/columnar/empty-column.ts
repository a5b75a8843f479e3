import type { Column, ScalarColumn } from './column.ts'
import type { Field, ScalarType } from './schema.ts'

/** A column of no rows. */
export const emptyColumn = (field: Pick<Field, 'type'>): Column => {
  const item = /^list<(.+)>$/.exec(field.type)?.[1] as ScalarType | undefined
  if (item === undefined) return emptyScalar(field.type as ScalarType)
  return { kind: 'list', length: 0, validity: null, offsets: new Int32Array(1), child: emptyScalar(item) }
}

const emptyScalar = (type: ScalarType): ScalarColumn => {
  const base = { length: 0, validity: null }
  switch (type) {
    case 'bool':
      return { ...base, kind: type, values: new Uint8Array(0) }
    case 'int32':
    case 'date':
      return { ...base, kind: type, values: new Int32Array(0) }
    case 'int64':
    case 'timestamp':
      return { ...base, kind: type, values: new BigInt64Array(0) }
    case 'float64':
      return { ...base, kind: type, values: new Float64Array(0) }
    case 'float32':
      return { ...base, kind: type, values: new Float32Array(0) }
    case 'string':
    case 'json':
    case 'bytes':
      return { ...base, kind: type, offsets: new Int32Array(1), bytes: new Uint8Array(0) }
  }
}
