import { assert, assertNever } from '../base/assert.ts'
import { crc32cHex } from '../base/crc32c.ts'
import { MillraceError } from '../base/errors.ts'
import { utf8Bytes, utf8Text } from '../base/text.ts'
import type { BinaryColumn, Column, ScalarColumn } from './column.ts'
import type { ColumnBatch } from './column-batch.ts'
import { compact, rowNumbers, takeColumn } from './gather.ts'
import { type Field, SCALAR_TYPES } from './schema.ts'

/**
 * A batch as bytes: "MRB1", CRC-32C of all that follows it, length of the header (both uint32, little-endian), the
 * header (JSON: fields, rows, and the byte length of every buffer), then the buffers in order of columns, each at a
 * multiple of 8 from the start.
 */
const MAGIC = 0x3142524d
const CHECKSUM_AT = 4
const CHECKED_FROM = 8
const PREFIX_BYTES = 12

interface Header {
  readonly fields: readonly Field[]
  readonly rows: number
  /** Byte length of each buffer, -1 for a missing validity bitmap. */
  readonly buffers: readonly number[]
  /** Rows of the child of each list column, in order of columns. */
  readonly children: readonly number[]
}

type Buffer8 = Uint8Array | null

const aligned = (bytes: number): number => (bytes + 7) & ~7

/** The rows of a batch as bytes of their own; where they came from (`origin`) is left out. */
export const encodeBatch = (batch: ColumnBatch): Uint8Array => {
  const compacted = compact(batch)
  const dense = { ...compacted, columns: compacted.columns.map(fromZero) }
  const buffers = dense.columns.flatMap(buffersOf)
  const header: Header = {
    fields: dense.schema.fields,
    rows: dense.length,
    buffers: buffers.map(buffer => buffer?.byteLength ?? -1),
    children: dense.columns.flatMap(column => (column.kind === 'list' ? [column.child.length] : [])),
  }
  const headerBytes = utf8Bytes(JSON.stringify(header))
  const start = aligned(PREFIX_BYTES + headerBytes.length)
  const bytes = new Uint8Array(buffers.reduce((size, buffer) => size + aligned(buffer?.byteLength ?? 0), start))
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint32(CHECKED_FROM, headerBytes.length, true)
  bytes.set(headerBytes, PREFIX_BYTES)
  let at = start
  for (const buffer of buffers) {
    if (buffer === null) continue
    bytes.set(buffer, at)
    at += aligned(buffer.byteLength)
  }
  view.setUint32(CHECKSUM_AT, checksumOf(bytes), true)
  return bytes
}

const checksumOf = (bytes: Uint8Array): number => Number.parseInt(crc32cHex(bytes.subarray(CHECKED_FROM)), 16)

/** A column whose positions start at 0 and span what they point into, as slices of larger columns do not. */
const fromZero = <C extends Column>(column: C): C => {
  if (!('offsets' in column)) return column
  const spansAll = column.kind !== 'list' || column.offsets[column.length] === column.child.length
  if (column.offsets[0] !== 0 || !spansAll) return takeColumn(column, rowNumbers(0, column.length)) as C
  return column.kind === 'list' ? { ...column, child: fromZero(column.child) } : column
}

/** Reads what `encodeBatch` wrote. @throws CHECKPOINT_DAMAGED for anything else; never reads outside the bytes */
export const decodeBatch = (bytes: Uint8Array): ColumnBatch => {
  try {
    return readBatch(bytes)
  } catch (cause) {
    throw new MillraceError('CHECKPOINT_DAMAGED', 'a batch of stored columns is damaged', {
      remedy: 'Restore the checkpoint from a backup, or start anew with --new-checkpoint.',
      cause,
    })
  }
}

const readBatch = (bytes: Uint8Array): ColumnBatch => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  assert(view.getUint32(0, true) === MAGIC, 'the bytes begin with MRB1')
  assert(view.getUint32(CHECKSUM_AT, true) === checksumOf(bytes), 'the checksum fits')
  const headerEnd = PREFIX_BYTES + view.getUint32(CHECKED_FROM, true)
  assert(headerEnd <= bytes.length, 'the header lies within the bytes')
  const header = JSON.parse(utf8Text(bytes.subarray(PREFIX_BYTES, headerEnd))) as Header
  assert(Number.isSafeInteger(header.rows) && header.rows >= 0, 'the number of rows is one')
  const buffers = new BufferReader(bytes, aligned(headerEnd), header.buffers)
  const children = [...header.children]
  const columns = header.fields.map(field => readColumn(field, header.rows, buffers, children))
  buffers.requireEnd()
  return { schema: { fields: header.fields }, columns, length: header.rows, selection: null, origin: null }
}

/** Hands out the buffers in their order, each copied to memory of its own (aligned for any typed array). */
class BufferReader {
  readonly #bytes: Uint8Array
  readonly #lengths: readonly number[]
  #at: number
  #next = 0

  constructor(bytes: Uint8Array, start: number, lengths: readonly number[]) {
    this.#bytes = bytes
    this.#at = start
    this.#lengths = lengths
  }

  take(): ArrayBuffer | null {
    const length = this.#lengths[this.#next]
    this.#next += 1
    assert(length !== undefined && Number.isSafeInteger(length) && length >= -1, 'each buffer has a length')
    if (length === -1) return null
    const end = this.#at + length
    assert(end <= this.#bytes.length, 'a buffer lies within the bytes')
    const copy = new ArrayBuffer(length)
    new Uint8Array(copy).set(this.#bytes.subarray(this.#at, end))
    this.#at += aligned(length)
    return copy
  }

  required(elements: number, elementBytes: number): ArrayBuffer {
    const buffer = this.take()
    assert(buffer !== null && buffer.byteLength === elements * elementBytes, 'a buffer has the length of its column')
    return buffer
  }

  requireEnd(): void {
    assert(this.#next === this.#lengths.length && this.#at === this.#bytes.length, 'nothing follows')
  }
}

const bitmapBytes = (rows: number): number => (rows + 7) >> 3

const readColumn = (field: Field, rows: number, buffers: BufferReader, children: number[]): Column => {
  const item = /^list<(.+)>$/.exec(field.type)?.[1] ?? null
  const validity = readValidity(rows, buffers)
  if (item === null) return readScalar(field.type, rows, validity, buffers)
  const offsets = new Int32Array(buffers.required(rows + 1, 4))
  const childRows = children.shift()
  assert(childRows !== undefined && Number.isSafeInteger(childRows) && childRows >= 0, 'a list has a child')
  requireRising(offsets, childRows)
  const child = readScalar(item, childRows, readValidity(childRows, buffers), buffers)
  return { kind: 'list', length: rows, validity, offsets, child }
}

const readValidity = (rows: number, buffers: BufferReader): Uint8Array | null => {
  const bits = buffers.take()
  assert(bits === null || bits.byteLength === bitmapBytes(rows), 'a bitmap has a bit for each row')
  return bits === null ? null : new Uint8Array(bits)
}

const readScalar = (type: string, length: number, validity: Uint8Array | null, buffers: BufferReader): ScalarColumn => {
  const kind = SCALAR_TYPES.find(known => known === type)
  switch (kind) {
    case 'bool':
      return { kind, length, validity, values: new Uint8Array(buffers.required(bitmapBytes(length), 1)) }
    case 'int32':
    case 'date':
      return { kind, length, validity, values: new Int32Array(buffers.required(length, 4)) }
    case 'int64':
    case 'timestamp':
      return { kind, length, validity, values: new BigInt64Array(buffers.required(length, 8)) }
    case 'float32':
      return { kind, length, validity, values: new Float32Array(buffers.required(length, 4)) }
    case 'float64':
      return { kind, length, validity, values: new Float64Array(buffers.required(length, 8)) }
    case 'string':
    case 'json':
    case 'bytes':
      return readBinary(kind, length, validity, buffers)
    case undefined:
      throw new TypeError(`there is no type ${type}`)
    default:
      return assertNever(kind)
  }
}

const readBinary = (
  kind: BinaryColumn['kind'],
  length: number,
  validity: Uint8Array | null,
  buffers: BufferReader,
): BinaryColumn => {
  const offsets = new Int32Array(buffers.required(length + 1, 4))
  const bytes = buffers.take()
  assert(bytes !== null, 'a text column has bytes')
  requireRising(offsets, bytes.byteLength)
  return { kind, length, validity, offsets, bytes: new Uint8Array(bytes) }
}

const requireRising = (offsets: Int32Array, end: number): void => {
  let before = 0
  assert(offsets[0] === 0 && offsets[offsets.length - 1] === end, 'offsets span what they point into')
  for (const offset of offsets) {
    assert(offset >= before, 'offsets rise')
    before = offset
  }
}

const bytesOf = (values: {
  readonly buffer: ArrayBufferLike
  readonly byteOffset: number
  readonly byteLength: number
}) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)

/** Validity first, then what the kind needs; a child follows its list. */
const buffersOf = (column: Column): readonly Buffer8[] => {
  const validity = column.validity === null ? null : column.validity.subarray(0, bitmapBytes(column.length))
  switch (column.kind) {
    case 'bool':
      return [validity, column.values.subarray(0, bitmapBytes(column.length))]
    case 'string':
    case 'json':
    case 'bytes': {
      const offsets = column.offsets.subarray(0, column.length + 1)
      const used = column.bytes.subarray(0, offsets[column.length] as number)
      return [validity, bytesOf(offsets), used]
    }
    case 'list':
      return [validity, bytesOf(column.offsets.subarray(0, column.length + 1)), ...buffersOf(column.child)]
    default:
      return [validity, bytesOf(column.values.subarray(0, column.length))]
  }
}
