import type { Builder } from 'flatbuffers'
import type { ColumnType } from '../../columnar/schema.ts'

/** Members of the union `Type` in Arrow's Schema.fbs. */
const TYPE = { int: 2, floatingPoint: 3, binary: 4, utf8: 5, bool: 6, date: 8, timestamp: 10, list: 12 } as const
const PRECISION = { single: 1, double: 2 } as const
const DATE_UNIT_DAY = 0
const TIME_UNIT_MILLISECOND = 1

interface TypeTable {
  readonly id: number
  readonly table: number
}

/** Writes the table of a type. `json` is text to Arrow and Parquet; a timestamp is in UTC. */
export const arrowType = (builder: Builder, type: ColumnType): TypeTable => {
  switch (type) {
    case 'bool':
      return emptyTable(builder, TYPE.bool)
    case 'int32':
      return intTable(builder, 32)
    case 'int64':
      return intTable(builder, 64)
    case 'float32':
      return int16Table(builder, TYPE.floatingPoint, PRECISION.single, 0)
    case 'float64':
      return int16Table(builder, TYPE.floatingPoint, PRECISION.double, 0)
    case 'string':
    case 'json':
      return emptyTable(builder, TYPE.utf8)
    case 'bytes':
      return emptyTable(builder, TYPE.binary)
    case 'timestamp':
      return timestampTable(builder)
    case 'date':
      return int16Table(builder, TYPE.date, DATE_UNIT_DAY, 1)
    default:
      return emptyTable(builder, TYPE.list)
  }
}

const emptyTable = (builder: Builder, id: number): TypeTable => {
  builder.startObject(0)
  return { id, table: builder.endObject() }
}

const int16Table = (builder: Builder, id: number, value: number, defaultValue: number): TypeTable => {
  builder.startObject(1)
  builder.addFieldInt16(0, value, defaultValue)
  return { id, table: builder.endObject() }
}

const intTable = (builder: Builder, bitWidth: number): TypeTable => {
  builder.startObject(2)
  builder.addFieldInt32(0, bitWidth, 0)
  builder.addFieldInt8(1, 1, 0)
  return { id: TYPE.int, table: builder.endObject() }
}

const timestampTable = (builder: Builder): TypeTable => {
  const zone = builder.createString('UTC')
  builder.startObject(2)
  builder.addFieldInt16(0, TIME_UNIT_MILLISECOND, 0)
  builder.addFieldOffset(1, zone, 0)
  return { id: TYPE.timestamp, table: builder.endObject() }
}
