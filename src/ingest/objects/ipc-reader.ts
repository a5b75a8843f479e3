import { ByteBuffer } from 'flatbuffers'
import { assert, present } from '../../base/assert.ts'

/**
 * Arrow's IPC stream (https://arrow.apache.org/docs/format/Columnar.html) as plain tables: only what parquet-wasm writes.
 * Positions of slots are those of Arrow's Message.fbs and Schema.fbs.
 */
export interface IpcField {
  readonly name: string
  /** Member of the union `Type`: 2 int, 3 float, 4 binary, 5 utf8, 6 bool, 8 date, 10 timestamp, 12 list. */
  readonly type: number
  /** Bit width of an int, precision of a float, unit of a date or timestamp. */
  readonly detail: number
  readonly signed: boolean
  readonly children: readonly IpcField[]
}

export interface IpcBatch {
  readonly rows: number
  /** Length and number of nulls of each column, children behind their list. */
  readonly nodes: readonly { readonly length: number; readonly nulls: number }[]
  /** The buffers of all columns, in the order of nodes. */
  readonly buffers: readonly Uint8Array[]
}

const HEADER = { schema: 1, recordBatch: 3 } as const
const CONTINUATION = -1

/** Fields and record batches of a stream. The buffers share its memory. */
export const readIpcStream = (
  stream: Uint8Array,
): { readonly fields: readonly IpcField[]; readonly batches: readonly IpcBatch[] } => {
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength)
  let fields: readonly IpcField[] = []
  const batches: IpcBatch[] = []
  for (let at = 0; at + 8 <= stream.length; ) {
    assert(view.getInt32(at, true) === CONTINUATION, 'a message begins with a continuation mark')
    const size = view.getInt32(at + 4, true)
    if (size === 0) break
    const body = at + 8 + size
    const message = new Table(new ByteBuffer(stream.subarray(at + 8, body)), 0, true)
    const header = present(message.table(2), 'header of a message')
    const kind = message.uint8(1)
    if (kind === HEADER.schema) fields = header.tables(1).map(fieldOf)
    if (kind === HEADER.recordBatch) batches.push(batchOf(header, stream, body))
    at = body + message.int64(3)
  }
  return { fields, batches }
}

const fieldOf = (field: Table): IpcField => {
  const type = field.uint8(2)
  const detail = field.table(3)
  return {
    name: field.string(0),
    type,
    detail: detail === null ? 0 : detailOf(type, detail),
    signed: type === 2 && detail !== null && detail.uint8(1) === 1,
    children: field.tables(5).map(fieldOf),
  }
}

/** An int has its width as 32 bits; precisions and units are 16 bits, a date's unit being milliseconds by default. */
const detailOf = (type: number, table: Table): number =>
  type === 2 ? table.int32(0) : table.int16(0, type === 8 ? 1 : 0)

const batchOf = (header: Table, stream: Uint8Array, body: number): IpcBatch => ({
  rows: header.int64(0),
  nodes: header.pairs(1).map(([length, nulls]) => ({ length, nulls })),
  buffers: header.pairs(2).map(([offset, length]) => stream.subarray(body + offset, body + offset + length)),
})

/** A flatbuffers table, read by slot. */
class Table {
  readonly #bytes: ByteBuffer
  readonly #at: number

  constructor(bytes: ByteBuffer, at: number, root = false) {
    this.#bytes = bytes
    this.#at = root ? bytes.readInt32(bytes.position()) + bytes.position() : at
  }

  uint8(slot: number): number {
    const at = this.#slot(slot)
    return at === 0 ? 0 : this.#bytes.readUint8(at)
  }

  int16(slot: number, absent: number): number {
    const at = this.#slot(slot)
    return at === 0 ? absent : this.#bytes.readInt16(at)
  }

  int32(slot: number): number {
    const at = this.#slot(slot)
    return at === 0 ? 0 : this.#bytes.readInt32(at)
  }

  int64(slot: number): number {
    const at = this.#slot(slot)
    return at === 0 ? 0 : Number(this.#bytes.readInt64(at))
  }

  string(slot: number): string {
    const at = this.#slot(slot)
    return at === 0 ? '' : String(this.#bytes.__string(at))
  }

  table(slot: number): Table | null {
    const at = this.#slot(slot)
    return at === 0 ? null : new Table(this.#bytes, this.#bytes.__indirect(at))
  }

  tables(slot: number): readonly Table[] {
    return this.#elements(slot, 4, at => new Table(this.#bytes, this.#bytes.__indirect(at)))
  }

  /** A vector of structs of two int64. */
  pairs(slot: number): readonly (readonly [number, number])[] {
    const number = (at: number) => Number(this.#bytes.readInt64(at))
    return this.#elements(slot, 16, at => [number(at), number(at + 8)])
  }

  #elements<T>(slot: number, size: number, read: (at: number) => T): readonly T[] {
    const at = this.#slot(slot)
    if (at === 0) return []
    const start = this.#bytes.__vector(at)
    return Array.from({ length: this.#bytes.__vector_len(at) }, (_, index) => read(start + index * size))
  }

  /** Where a slot's value lies; 0 where it is absent. */
  #slot(slot: number): number {
    const offset = this.#bytes.__offset(this.#at, 4 + 2 * slot)
    return offset === 0 ? 0 : this.#at + offset
  }
}
