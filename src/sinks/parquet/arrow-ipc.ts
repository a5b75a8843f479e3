import { Builder } from 'flatbuffers'
import { assert } from '../../base/assert.ts'
import type { Column } from '../../columnar/column.ts'
import type { Field, TableSchema } from '../../columnar/schema.ts'
import { elementField } from './accumulators.ts'
import { arrowType } from './arrow-types.ts'
import { bytesForBits, countZeros } from './bits.ts'

/**
 * Arrow's IPC stream format (https://arrow.apache.org/docs/format/Columnar.html, Serialization and IPC): a schema
 * message, record batch messages whose bodies are the columns' own buffers, and an end mark. Numbers of tables, slots
 * and enums below are those of Arrow's Message.fbs and Schema.fbs.
 */

const METADATA_V5 = 4
const HEADER = { schema: 1, recordBatch: 3 } as const
const CONTINUATION = -1
const MESSAGE_PREFIX_BYTES = 8
const END_OF_STREAM_BYTES = 8

/** The bytes of the schema message, the same for every stream of these columns. */
export const schemaMessage = (schema: TableSchema): Uint8Array => {
  const builder = new Builder(1024)
  const fields = offsetVector(
    builder,
    schema.fields.map(field => fieldTable(builder, field)),
  )
  builder.startObject(4)
  builder.addFieldOffset(1, fields, 0)
  return framed(messageTable(builder, HEADER.schema, builder.endObject(), 0))
}

/** A whole stream of one record batch; buffers are copied once, into the answer. */
export const ipcStream = (schema: Uint8Array, fields: readonly Field[], columns: readonly Column[]): Uint8Array => {
  const body = new RecordBatchBody()
  for (const [at, field] of fields.entries()) {
    const column = columns[at]
    assert(column !== undefined && column.length === columns[0]?.length, `column ${field.name} is as long as the first`)
    body.add(field, column)
  }
  const metadata = framed(recordBatchMetadata(body, columns[0]?.length ?? 0))
  const stream = new Uint8Array(schema.length + metadata.length + body.byteSize + END_OF_STREAM_BYTES)
  stream.set(schema)
  stream.set(metadata, schema.length)
  body.copyTo(stream, schema.length + metadata.length)
  new DataView(stream.buffer).setInt32(stream.length - END_OF_STREAM_BYTES, CONTINUATION, true)
  return stream
}

const fieldTable = (builder: Builder, field: Field): number => {
  const name = builder.createString(field.name)
  const type = arrowType(builder, field.type)
  const isList = field.type.startsWith('list<')
  const children = offsetVector(builder, isList ? [fieldTable(builder, elementField(field))] : [])
  builder.startObject(7)
  builder.addFieldOffset(0, name, 0)
  builder.addFieldInt8(1, field.nullable ? 1 : 0, 0)
  builder.addFieldInt8(2, type.id, 0)
  builder.addFieldOffset(3, type.table, 0)
  builder.addFieldOffset(5, children, 0)
  return builder.endObject()
}

const offsetVector = (builder: Builder, tables: readonly number[]): number => {
  builder.startVector(4, tables.length, 4)
  for (const table of tables.toReversed()) builder.addOffset(table)
  return builder.endVector()
}

const messageTable = (builder: Builder, kind: number, header: number, bodyBytes: number): Uint8Array => {
  builder.startObject(5)
  builder.addFieldInt16(0, METADATA_V5, 0)
  builder.addFieldInt8(1, kind, 0)
  builder.addFieldOffset(2, header, 0)
  builder.addFieldInt64(3, BigInt(bodyBytes), 0n)
  builder.finish(builder.endObject())
  return builder.asUint8Array()
}

/** Metadata behind its length, padded so that the body begins at a multiple of 8. */
const framed = (metadata: Uint8Array): Uint8Array => {
  const padded = padded8(metadata.length)
  const message = new Uint8Array(MESSAGE_PREFIX_BYTES + padded)
  const view = new DataView(message.buffer)
  view.setInt32(0, CONTINUATION, true)
  view.setInt32(4, padded, true)
  message.set(metadata, MESSAGE_PREFIX_BYTES)
  return message
}

const padded8 = (bytes: number): number => Math.ceil(bytes / 8) * 8

const recordBatchMetadata = (body: RecordBatchBody, rows: number): Uint8Array => {
  const builder = new Builder(1024)
  const buffers = pairVector(
    builder,
    body.buffers.map(({ offset, bytes }) => [offset, bytes.length]),
  )
  const nodes = pairVector(
    builder,
    body.nodes.map(({ length, nulls }) => [length, nulls]),
  )
  builder.startObject(5)
  builder.addFieldInt64(0, BigInt(rows), 0n)
  builder.addFieldOffset(1, nodes, 0)
  builder.addFieldOffset(2, buffers, 0)
  return messageTable(builder, HEADER.recordBatch, builder.endObject(), body.byteSize)
}

/** A vector of structs of two int64: FieldNode and Buffer. Flatbuffers are written back to front. */
const pairVector = (builder: Builder, pairs: readonly (readonly [number, number])[]): number => {
  builder.startVector(16, pairs.length, 8)
  for (const [first, second] of pairs.toReversed()) {
    builder.prep(8, 16)
    builder.writeInt64(BigInt(second))
    builder.writeInt64(BigInt(first))
  }
  return builder.endVector()
}

/** The buffers of a record batch in the order that the format asks for, each from a multiple of 8 on. */
class RecordBatchBody {
  readonly nodes: { readonly length: number; readonly nulls: number }[] = []
  readonly buffers: { readonly offset: number; readonly bytes: Uint8Array }[] = []
  byteSize = 0

  add(field: Field, column: Column): void {
    this.addNode(field, column)
    if (column.kind === 'list') {
      this.addBuffer(column.offsets)
      this.add(elementField(field), column.child)
    } else if ('bytes' in column) {
      this.addBuffer(column.offsets)
      this.addBuffer(column.bytes)
    } else this.addBuffer(column.values)
  }

  copyTo(target: Uint8Array, at: number): void {
    for (const { offset, bytes } of this.buffers) target.set(bytes, at + offset)
  }

  private addNode(field: Field, { length, validity }: Column): void {
    const nulls = validity === null ? 0 : countZeros(validity, length)
    assert(nulls === 0 || field.nullable, `the required column ${field.name} holds no null`)
    this.nodes.push({ length, nulls })
    this.addBuffer(nulls === 0 || validity === null ? new Uint8Array(0) : validity.subarray(0, bytesForBits(length)))
  }

  private addBuffer(array: ArrayBufferView): void {
    this.buffers.push({
      offset: this.byteSize,
      bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
    })
    this.byteSize += padded8(array.byteLength)
  }
}
