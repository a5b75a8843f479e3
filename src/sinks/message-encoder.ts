import { present } from '../base/assert.ts'
import { MillraceError } from '../base/errors.ts'
import { isValid } from '../columnar/column.ts'
import { type ColumnBatch, rowCount } from '../columnar/column-batch.ts'
import { GrowingArena } from '../columnar/growing-arena.ts'
import { bareWriter, type CellWriter, jsonEncoder } from '../columnar/json-encoder.ts'
import { fieldIndex } from '../columnar/schema.ts'

/** What messages are made of. */
export interface MessageColumns {
  /** Column of the key; `null`: no key. */
  readonly key: string | null
  /** Column of the value; `null`: the whole row as JSON. */
  readonly value: string | null
}

export interface MessageEncoderOptions extends MessageColumns {
  /** Key and value of one message together. */
  readonly maxMessageBytes: number
  /** Messages are handed on in pieces of about so many bytes. */
  readonly pieceBytes: number
}

/**
 * Messages one after the other, as they lie in the outbox: for each the lengths of its key and its value (32 bits,
 * big-endian, -1 for null), then the bytes of both.
 */
export interface EncodedMessages {
  readonly bytes: Uint8Array
  readonly rows: number
}

const LENGTHS_BYTES = 8
const FIRST_BYTES = 64 * 1024

/** The messages of some batches of rows, piece by piece. @throws RECORD_TOO_LARGE */
export function* encodeMessages(
  batches: readonly ColumnBatch[],
  options: MessageEncoderOptions,
): Generator<EncodedMessages> {
  const out = new GrowingArena(FIRST_BYTES)
  let rows = 0
  for (const batch of batches) {
    const write = messageWriter(batch, options)
    const count = rowCount(batch)
    for (let at = 0; at < count; at += 1) {
      write(batch.selection === null ? at : (batch.selection[at] as number), out)
      rows += 1
      if (out.length < options.pieceBytes) continue
      yield { bytes: out.bytes.slice(0, out.length), rows }
      out.clear()
      rows = 0
    }
  }
  if (rows > 0) yield { bytes: out.bytes.slice(0, out.length), rows }
}

const messageWriter = (batch: ColumnBatch, options: MessageEncoderOptions): CellWriter => {
  const key = options.key === null ? () => -1 : columnWriter(batch, options.key)
  const value = options.value === null ? rowWriter(batch) : columnWriter(batch, options.value)
  return (row, out) => {
    const start = out.length
    out.reserve(LENGTHS_BYTES)
    out.length += LENGTHS_BYTES
    const keyBytes = key(row, out)
    const valueBytes = value(row, out)
    const bytes = out.length - start - LENGTHS_BYTES
    if (bytes > options.maxMessageBytes) throw tooLarge(bytes, options.maxMessageBytes)
    putInt32(out, start, keyBytes)
    putInt32(out, start + 4, valueBytes)
  }
}

/** Answers how many bytes it wrote, -1 for null. */
type PartWriter = (row: number, out: GrowingArena) => number

const columnWriter = (batch: ColumnBatch, name: string): PartWriter => {
  const column = present(batch.columns[fieldIndex(batch.schema, name)], `column ${name}`)
  const write = counted(bareWriter(column))
  return (row, out) => (isValid(column, row) ? write(row, out) : -1)
}

const rowWriter = (batch: ColumnBatch): PartWriter => {
  const encoder = jsonEncoder(batch.schema)
  encoder.bind(batch)
  return counted((row, out) => encoder.write(row, out))
}

const counted =
  (write: CellWriter): PartWriter =>
  (row, out) => {
    const before = out.length
    write(row, out)
    return out.length - before
  }

const putInt32 = ({ bytes }: GrowingArena, at: number, value: number): void => {
  for (let byte = 0; byte < 4; byte += 1) bytes[at + byte] = value >>> (24 - 8 * byte)
}

const tooLarge = (bytes: number, limit: number): MillraceError =>
  new MillraceError('RECORD_TOO_LARGE', `a row makes a message of ${bytes} bytes, and ${limit} are allowed`, {
    remedy: 'Select fewer columns, or raise kafka.maxRequestBytes and max.message.bytes of the topic.',
    details: { bytes, limit },
  })

/** Reads encoded messages back, one after the other; its fields say where the present one lies. */
export class MessageReader {
  readonly bytes: Uint8Array
  /** -1: the message has no key. */
  keyStart = -1
  keyEnd = -1
  /** -1: the value is null. */
  valueStart = -1
  valueEnd = -1
  #at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /** Goes on to the next message. Answers false at the end. */
  next(): boolean {
    if (this.#at >= this.bytes.length) return false
    const keyBytes = this.#int32(this.#at)
    const valueBytes = this.#int32(this.#at + 4)
    const start = this.#at + LENGTHS_BYTES
    this.keyEnd = start + Math.max(0, keyBytes)
    this.valueEnd = this.keyEnd + Math.max(0, valueBytes)
    this.keyStart = keyBytes < 0 ? -1 : start
    this.valueStart = valueBytes < 0 ? -1 : this.keyEnd
    this.#at = this.valueEnd
    return true
  }

  #int32(at: number): number {
    let value = 0
    for (let byte = 0; byte < 4; byte += 1) value = (value << 8) | (this.bytes[at + byte] as number)
    return value
  }
}
