import { assert, present } from '../../base/assert.ts'
import { utf8Bytes } from '../../base/text.ts'
import type { BinaryColumn, Column, Int32Column, Int64Column } from '../../columnar/column.ts'
import { type ColumnBatch, type RowOrigin, rowCount } from '../../columnar/column-batch.ts'
import { writeInt64 } from '../../columnar/int64-words.ts'
import { fieldIndex, type TableSchema } from '../../columnar/schema.ts'
import type { LandNode } from '../../pipeline/plan.ts'
import { headersJson } from './record-headers.ts'
import type { StageStep } from './stage.ts'

/** Adds each row's coordinates at the source. Rows outside the selection get values that mean nothing. */
export const landStage = (node: LandNode, input: TableSchema): StageStep => {
  const sources = node.output.fields.map(({ name }) => ({ name, at: fieldIndex(input, name) }))
  return batch => {
    const { origin } = batch
    assert(origin !== null, 'landed rows come from records')
    const columns = sources.map(({ name, at }) =>
      at === -1
        ? coordinateColumn(name.slice(node.prefix.length), batch, origin)
        : present(batch.columns[at], `column ${name}`),
    )
    return { ...batch, schema: node.output, columns }
  }
}

const coordinateColumn = (name: string, batch: ColumnBatch, origin: RowOrigin): Column => {
  switch (name) {
    case 'topic':
      return repeatedText(origin.records.topic, batch.length)
    case 'partition':
      return partitionColumn(origin.records.partition, batch.length)
    case 'offset':
      return { ...int64Column('int64', batch.length, origin, origin.records.offsets), validity: null }
    case 'timestamp':
      return int64Column('timestamp', batch.length, origin, origin.records.timestamps)
    case 'key':
      return keyColumn(batch, origin)
    default:
      assert(name === 'headers', `land() knows the coordinate ${name}`)
      return headersColumn(batch, origin)
  }
}

const repeatedText = (text: string, length: number): BinaryColumn => {
  const one = utf8Bytes(text)
  const bytes = new Uint8Array(one.length * length)
  const offsets = new Int32Array(length + 1)
  for (let row = 0; row < length; row++) {
    bytes.set(one, row * one.length)
    offsets[row + 1] = (row + 1) * one.length
  }
  return { kind: 'string', length, validity: null, offsets, bytes }
}

const partitionColumn = (partition: number, length: number): Int32Column => ({
  kind: 'int32',
  length,
  validity: null,
  values: new Int32Array(length).fill(partition),
})

/** Negative numbers (no timestamp) become nulls. */
const int64Column = (
  kind: 'int64' | 'timestamp',
  length: number,
  { recordOf }: RowOrigin,
  numbers: Float64Array,
): Int64Column => {
  const values = new BigInt64Array(length)
  const words = new Int32Array(values.buffer)
  let validity: Uint8Array | null = null
  for (let row = 0; row < length; row++) {
    const value = numbers[recordOf[row] as number] as number
    if (value >= 0) writeInt64(words, row, value)
    else validity = markNull(validity ?? allValid(length), row)
  }
  return { kind, length, validity, values }
}

const keyColumn = (batch: ColumnBatch, { records, recordOf }: RowOrigin): BinaryColumn => {
  const { length } = batch
  const offsets = new Int32Array(length + 1)
  const selected = selectedRows(batch)
  let validity: Uint8Array | null = null
  let size = 0
  for (let row = 0; row < length; row++) {
    const keyLength = records.keyLength[recordOf[row] as number] as number
    if (keyLength < 0) validity = markNull(validity ?? allValid(length), row)
    else if (selected === null || selected[row] === 1) size += keyLength
    offsets[row + 1] = size
  }
  const bytes = new Uint8Array(size)
  for (let row = 0; row < length; row++) {
    const at = offsets[row] as number
    if (offsets[row + 1] === at) continue
    const start = records.keyStart[recordOf[row] as number] as number
    bytes.set(records.arena.subarray(start, start + (offsets[row + 1] as number) - at), at)
  }
  return { kind: 'bytes', length, validity, offsets, bytes }
}

const headersColumn = (batch: ColumnBatch, { records, recordOf }: RowOrigin): BinaryColumn => {
  const { length } = batch
  const offsets = new Int32Array(length + 1)
  const selected = selectedRows(batch)
  const parts: Uint8Array[] = []
  const validity = new Uint8Array((length + 7) >> 3)
  let size = 0
  for (let row = 0; row < length; row++) {
    const json = selected === null || selected[row] === 1 ? headersJson(records, recordOf[row] as number) : null
    if (json !== null) {
      const part = utf8Bytes(json)
      validity[row >> 3] = (validity[row >> 3] as number) | (1 << (row & 7))
      parts.push(part)
      size += part.length
    }
    offsets[row + 1] = size
  }
  return { kind: 'json', length, validity, offsets, bytes: concatenate(parts, size) }
}

const concatenate = (parts: readonly Uint8Array[], size: number): Uint8Array => {
  const bytes = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** One byte per row, 1 where it counts; `null` where all do. */
const selectedRows = (batch: ColumnBatch): Uint8Array | null => {
  if (batch.selection === null || rowCount(batch) === batch.length) return null
  const flags = new Uint8Array(batch.length)
  for (const row of batch.selection) flags[row] = 1
  return flags
}

const allValid = (length: number): Uint8Array => new Uint8Array((length + 7) >> 3).fill(0xff)

const markNull = (validity: Uint8Array, row: number): Uint8Array => {
  validity[row >> 3] = (validity[row >> 3] as number) & ~(1 << (row & 7))
  return validity
}
