import { assert, assertNever, present } from '../base/assert.ts'
import type { BinaryColumn, BoolColumn, Column, ListColumn, ScalarColumn } from './column.ts'
import { type ColumnBatch, rowCount } from './column-batch.ts'
import { emptyColumn } from './empty-column.ts'
import type { TableSchema } from './schema.ts'

/** The selected rows of a batch as a dense batch in memory of its own; a dense batch passes through unchanged. */
export const compact = (batch: ColumnBatch): ColumnBatch => {
  const { selection, origin } = batch
  if (selection === null) return batch
  return {
    schema: batch.schema,
    columns: batch.columns.map(column => takeColumn(column, selection)),
    length: selection.length,
    selection: null,
    origin: origin === null ? null : { records: origin.records, recordOf: takeInts(origin.recordOf, selection) },
  }
}

/** The selected rows of all batches, one after the other, dense, without origin. All have the columns of `schema`. */
export const concat = (schema: TableSchema, batches: readonly ColumnBatch[]): ColumnBatch => {
  const parts = batches.filter(batch => rowCount(batch) > 0).map(compact)
  const length = parts.reduce((rows, batch) => rows + batch.length, 0)
  const [only] = parts
  const columns = schema.fields.map((field, at) => {
    if (parts.length === 0 || only === undefined) return emptyColumn(field)
    const pieces = parts.map(batch => present(batch.columns[at], `column ${field.name}`))
    return pieces.length === 1 ? (pieces[0] as Column) : concatColumns(pieces, length)
  })
  return { schema, columns, length, selection: null, origin: null }
}

/** Rows `indices` of a column, in that order. */
export const takeColumn = (column: Column, indices: Int32Array): Column => {
  const base = { length: indices.length, validity: takeBits(column.validity, indices) }
  switch (column.kind) {
    case 'bool':
      return { ...base, kind: column.kind, values: present(takeBits(column.values, indices), 'bits') }
    case 'int32':
    case 'date':
      return { ...base, kind: column.kind, values: takeInts(column.values, indices) }
    case 'int64':
    case 'timestamp':
      return { ...base, kind: column.kind, values: takeLongs(column.values, indices) }
    case 'float64':
      return { ...base, kind: column.kind, values: takeDoubles(column.values, indices) }
    case 'float32':
      return { ...base, kind: column.kind, values: Float32Array.from(indices, row => column.values[row] as number) }
    case 'string':
    case 'json':
    case 'bytes':
      return takeBinary(column, indices)
    case 'list':
      return takeList(column, indices)
    default:
      return assertNever(column)
  }
}

const takeInts = (values: Int32Array, indices: Int32Array): Int32Array => {
  const taken = new Int32Array(indices.length)
  for (let at = 0; at < indices.length; at += 1) taken[at] = values[indices[at] as number] as number
  return taken
}

const takeDoubles = (values: Float64Array, indices: Int32Array): Float64Array => {
  const taken = new Float64Array(indices.length)
  for (let at = 0; at < indices.length; at += 1) taken[at] = values[indices[at] as number] as number
  return taken
}

/** Word by word: reading a BigInt64Array makes a BigInt for each element. */
const takeLongs = (values: BigInt64Array, indices: Int32Array): BigInt64Array => {
  const from = new Int32Array(values.buffer, values.byteOffset, values.length * 2)
  const taken = new Int32Array(indices.length * 2)
  for (let at = 0; at < indices.length; at += 1) {
    const row = indices[at] as number
    taken[2 * at] = from[2 * row] as number
    taken[2 * at + 1] = from[2 * row + 1] as number
  }
  return new BigInt64Array(taken.buffer)
}

const takeBits = (bits: Uint8Array | null, indices: Int32Array): Uint8Array | null => {
  if (bits === null) return null
  const taken = new Uint8Array((indices.length + 7) >> 3)
  for (let at = 0; at < indices.length; at += 1) {
    const row = indices[at] as number
    const bit = ((bits[row >> 3] as number) >> (row & 7)) & 1
    taken[at >> 3] = (taken[at >> 3] as number) | (bit << (at & 7))
  }
  return taken
}

const takeOffsets = (offsets: Int32Array, indices: Int32Array): Int32Array => {
  const taken = new Int32Array(indices.length + 1)
  let end = 0
  for (let at = 0; at < indices.length; at += 1) {
    const row = indices[at] as number
    end += (offsets[row + 1] as number) - (offsets[row] as number)
    taken[at + 1] = end
  }
  return taken
}

/** From about so many bytes on, the call of a native copy costs less than a loop. */
const LONG_BYTES = 64

const takeBinary = (column: BinaryColumn, indices: Int32Array): BinaryColumn => {
  const offsets = takeOffsets(column.offsets, indices)
  const bytes = new Uint8Array(offsets[indices.length] as number)
  for (let at = 0; at < indices.length; at += 1) {
    const row = indices[at] as number
    const to = offsets[at] as number
    const from = column.offsets[row] as number
    const length = (offsets[at + 1] as number) - to
    if (length > LONG_BYTES) bytes.set(column.bytes.subarray(from, from + length), to)
    else for (let byte = 0; byte < length; byte += 1) bytes[to + byte] = column.bytes[from + byte] as number
  }
  const validity = takeBits(column.validity, indices)
  return { kind: column.kind, length: indices.length, validity, offsets, bytes }
}

const takeList = (column: ListColumn, indices: Int32Array): ListColumn => {
  const offsets = takeOffsets(column.offsets, indices)
  const items = new Int32Array(offsets[indices.length] as number)
  for (let at = 0; at < indices.length; at += 1) {
    const from = column.offsets[indices[at] as number] as number
    const to = offsets[at] as number
    const until = offsets[at + 1] as number
    for (let item = to; item < until; item += 1) items[item] = from + item - to
  }
  const validity = takeBits(column.validity, indices)
  return {
    kind: 'list',
    length: indices.length,
    validity,
    offsets,
    child: takeColumn(column.child, items) as ScalarColumn,
  }
}

const concatColumns = (pieces: readonly Column[], length: number): Column => {
  const [first] = pieces
  const validity = concatValidity(pieces, length)
  switch (first?.kind) {
    case undefined:
      throw new TypeError('nothing to put together')
    case 'bool':
      return { kind: 'bool', length, validity, values: concatBits(ofKind<BoolColumn>(pieces), length) }
    case 'int32':
    case 'date':
      return {
        kind: first.kind,
        length,
        validity,
        values: concatValues(new Int32Array(length), ofKind<typeof first>(pieces)),
      }
    case 'int64':
    case 'timestamp':
      return {
        kind: first.kind,
        length,
        validity,
        values: concatValues(new BigInt64Array(length), ofKind<typeof first>(pieces)),
      }
    case 'float64':
      return {
        kind: first.kind,
        length,
        validity,
        values: concatValues(new Float64Array(length), ofKind<typeof first>(pieces)),
      }
    case 'float32':
      return {
        kind: first.kind,
        length,
        validity,
        values: concatValues(new Float32Array(length), ofKind<typeof first>(pieces)),
      }
    case 'string':
    case 'json':
    case 'bytes':
      return concatBinary(ofKind<BinaryColumn>(pieces), length, validity)
    case 'list':
      return concatLists(ofKind<ListColumn>(pieces), length, validity)
    default:
      return assertNever(first)
  }
}

const ofKind = <C extends Column>(pieces: readonly Column[]): readonly C[] => {
  assert(
    pieces.every(piece => piece.kind === pieces[0]?.kind),
    'columns to put together are of one kind',
  )
  return pieces as readonly C[]
}

interface Settable<V> {
  set(values: V, at: number): void
}

const concatValues = <V extends Settable<V>>(
  all: V,
  pieces: readonly { readonly values: V; readonly length: number }[],
): V => {
  let at = 0
  for (const { values, length } of pieces) {
    all.set(values, at)
    at += length
  }
  return all
}

const concatValidity = (pieces: readonly Column[], length: number): Uint8Array | null => {
  if (pieces.every(piece => piece.validity === null)) return null
  return copyBits(
    pieces.map(piece => ({ bits: piece.validity, length: piece.length })),
    length,
  )
}

const concatBits = (pieces: readonly BoolColumn[], length: number): Uint8Array =>
  copyBits(
    pieces.map(piece => ({ bits: piece.values, length: piece.length })),
    length,
  )

const copyBits = (
  pieces: readonly { readonly bits: Uint8Array | null; readonly length: number }[],
  length: number,
): Uint8Array => {
  const all = new Uint8Array((length + 7) >> 3)
  let at = 0
  for (const { bits, length: count } of pieces) {
    for (let row = 0; row < count; row += 1, at += 1) {
      const bit = bits === null ? 1 : ((bits[row >> 3] as number) >> (row & 7)) & 1
      all[at >> 3] = (all[at >> 3] as number) | (bit << (at & 7))
    }
  }
  return all
}

/** Positions are 32-bit, as in Arrow. */
const MAX_POSITION = 0x7fff_ffff

const concatOffsets = (
  pieces: readonly { readonly offsets: Int32Array; readonly length: number }[],
  length: number,
) => {
  const all = new Int32Array(length + 1)
  let at = 0
  let end = 0
  for (const { offsets, length: count } of pieces) {
    const start = offsets[0] as number
    for (let row = 1; row <= count; row += 1) all[at + row] = end + (offsets[row] as number) - start
    at += count
    const last = end + (offsets[count] as number) - start
    assert(last <= MAX_POSITION, 'the columns put together hold less than 2 GiB of text')
    end = last
  }
  return all
}

const concatBinary = (pieces: readonly BinaryColumn[], length: number, validity: Uint8Array | null): BinaryColumn => {
  const offsets = concatOffsets(pieces, length)
  const bytes = new Uint8Array(offsets[length] as number)
  let at = 0
  for (const piece of pieces) {
    const used = piece.bytes.subarray(piece.offsets[0] as number, piece.offsets[piece.length] as number)
    bytes.set(used, at)
    at += used.length
  }
  return { kind: present(pieces[0], 'piece').kind, length, validity, offsets, bytes }
}

const concatLists = (pieces: readonly ListColumn[], length: number, validity: Uint8Array | null): ListColumn => {
  const offsets = concatOffsets(pieces, length)
  const children = pieces.map(({ child, offsets: of, length: rows }) =>
    sliceOf(child, of[0] as number, of[rows] as number),
  )
  return {
    kind: 'list',
    length,
    validity,
    offsets,
    child: concatColumns(children, offsets[length] as number) as ScalarColumn,
  }
}

const sliceOf = (column: ScalarColumn, from: number, until: number): Column =>
  from === 0 && until === column.length ? column : takeColumn(column, rowNumbers(from, until))

/** The numbers from, from + 1, … until - 1. */
export const rowNumbers = (from: number, until: number): Int32Array => {
  const numbers = new Int32Array(until - from)
  for (let at = 0; at < numbers.length; at += 1) numbers[at] = from + at
  return numbers
}
