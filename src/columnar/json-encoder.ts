import { assertNever, present } from '../base/assert.ts'
import { utf8Bytes } from '../base/text.ts'
import { type Column, isValid, type ScalarColumn } from './column.ts'
import type { ColumnBatch } from './column-batch.ts'
import type { GrowingArena } from './growing-arena.ts'
import type { TableSchema } from './schema.ts'

/** Writes rows as JSON objects, in UTF-8 and without an object for a row. */
export interface JsonEncoder {
  /** Reads this batch from now on. */
  bind(batch: ColumnBatch): void
  /** Appends the row at a position of the bound batch (selected or not). */
  write(row: number, out: GrowingArena): void
}

/**
 * An encoder for rows with these columns. What it writes is what the JSON decoder reads with the same schema: a name with
 * dots makes nested objects, timestamps are epoch milliseconds, dates `YYYY-MM-DD`, bytes base64, int64 whole numbers of
 * any length, json the value itself. Nulls are written; NaN and infinities, which JSON does not know, are null.
 */
export const jsonEncoder = (schema: TableSchema): JsonEncoder => {
  const pieces = layout(schema)
  const writers: CellWriter[] = []
  return {
    bind(batch) {
      for (const [at, { column }] of pieces.cells.entries()) {
        writers[at] = cellWriter(present(batch.columns[column], 'column'))
      }
    },
    write(row, out) {
      for (let at = 0; at < writers.length; at += 1) {
        out.append((pieces.cells[at] as Piece).before)
        ;(writers[at] as CellWriter)(row, out)
      }
      out.append(pieces.end)
    },
  }
}

/**
 * Two columns that can't be in one JSON object, as one is within the other (`device` and `device.type`), or `null`.
 */
export const jsonClash = ({ fields }: TableSchema): readonly [string, string] | null => {
  for (const { name } of fields) {
    const within = fields.find(other => other.name.startsWith(`${name}.`))
    if (within !== undefined) return [name, within.name]
  }
  return null
}

/** A column, and the text between the value before it and its own. */
interface Piece {
  readonly column: number
  readonly before: Uint8Array
}

/** An object of the row, or the position of the column that a name stands for. */
type Members = Map<string, Members | number>

const layout = (schema: TableSchema): { readonly cells: readonly Piece[]; readonly end: Uint8Array } => {
  const root: Members = new Map()
  for (const [at, { name }] of schema.fields.entries()) {
    const path = name.split('.')
    const last = present(path.pop(), 'name')
    let members = root
    for (const part of path) {
      const below = members.get(part)
      const next: Members = typeof below === 'object' ? below : new Map()
      members.set(part, next)
      members = next
    }
    members.set(last, at)
  }
  const cells: Piece[] = []
  let text = ''
  const walk = (members: Members): void => {
    text += '{'
    let first = true
    for (const [name, member] of members) {
      text += `${first ? '' : ','}${JSON.stringify(name)}:`
      first = false
      if (typeof member === 'object') walk(member)
      else {
        cells.push({ column: member, before: utf8Bytes(text) })
        text = ''
      }
    }
    text += '}'
  }
  walk(root)
  return { cells, end: utf8Bytes(text) }
}

/** Appends the value of a column in a row. */
export type CellWriter = (row: number, out: GrowingArena) => void

const NULL = utf8Bytes('null')

const cellWriter = (column: Column): CellWriter => {
  const write = column.kind === 'list' ? listWriter(column) : scalarWriter(column)
  if (column.validity === null) return write
  return (row, out) => (isValid(column, row) ? write(row, out) : out.append(NULL))
}

/**
 * Writes the values of a column that are not null by themselves, as keys and values of messages have them: text, json and
 * bytes as they are, anything else as in JSON but without quotes.
 */
export const bareWriter = (column: Column): CellWriter => {
  switch (column.kind) {
    case 'string':
    case 'json':
    case 'bytes':
      return (row, out) => out.append(column.bytes.subarray(column.offsets[row], column.offsets[row + 1]))
    case 'date':
      return (row, out) => putAscii(out, dateText(column.values[row] as number))
    case 'list':
      return listWriter(column)
    default:
      return scalarWriter(column)
  }
}

const scalarWriter = (column: ScalarColumn): CellWriter => {
  switch (column.kind) {
    case 'bool':
      return (row, out) =>
        putAscii(out, ((column.values[row >> 3] as number) & (1 << (row & 7))) === 0 ? 'false' : 'true')
    case 'int32':
    case 'int64':
    case 'timestamp':
      return (row, out) => putAscii(out, String(column.values[row]))
    case 'float32':
    case 'float64':
      return (row, out) => putAscii(out, numberText(column.values[row] as number))
    case 'date':
      return (row, out) => putAscii(out, `"${dateText(column.values[row] as number)}"`)
    case 'json':
      return (row, out) => out.append(column.bytes.subarray(column.offsets[row], column.offsets[row + 1]))
    case 'string':
      return (row, out) => putText(out, column.bytes, column.offsets[row] as number, column.offsets[row + 1] as number)
    case 'bytes':
      return (row, out) =>
        putAscii(out, `"${base64(column.bytes.subarray(column.offsets[row], column.offsets[row + 1]))}"`)
    default:
      return assertNever(column)
  }
}

const listWriter = ({ offsets, child }: Extract<Column, { kind: 'list' }>): CellWriter => {
  const item = cellWriter(child)
  return (row, out) => {
    const until = offsets[row + 1] as number
    putAscii(out, '[')
    for (let at = offsets[row] as number; at < until; at += 1) {
      if (at > (offsets[row] as number)) putAscii(out, ',')
      item(at, out)
    }
    putAscii(out, ']')
  }
}

/** The shortest decimal that reads back as the same number; JSON has no NaN and no infinities. */
const numberText = (value: number): string => {
  if (!Number.isFinite(value)) return 'null'
  return Object.is(value, -0) ? '-0' : String(value)
}

const MS_PER_DAY = 86_400_000

/** `YYYY-MM-DD`; days beyond what a date can say (275,760 years) as their number. */
const dateText = (days: number): string => {
  const date = new Date(days * MS_PER_DAY)
  return Number.isNaN(date.getTime()) ? String(days) : (date.toISOString().split('T')[0] as string)
}

const base64 = (bytes: Uint8Array): string => {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}

const putAscii = (out: GrowingArena, text: string): void => {
  out.reserve(text.length)
  for (let at = 0; at < text.length; at += 1) out.bytes[out.length + at] = text.charCodeAt(at)
  out.length += text.length
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20
const HEX = utf8Bytes('0123456789abcdef')
const CONTROL = utf8Bytes('\\u00')

/** A text in quotes; its UTF-8 passes as it is, but for what JSON wants escaped. A byte becomes six at most. */
const putText = (out: GrowingArena, bytes: Uint8Array, start: number, end: number): void => {
  out.reserve((end - start) * 6 + 2)
  const to = out.bytes
  let at = out.length
  to[at++] = QUOTE
  for (let from = start; from < end; from += 1) {
    const byte = bytes[from] as number
    if (byte < SPACE) {
      to.set(CONTROL, at)
      to[at + 4] = HEX[byte >> 4] as number
      to[at + 5] = HEX[byte & 15] as number
      at += 6
      continue
    }
    if (byte === QUOTE || byte === BACKSLASH) to[at++] = BACKSLASH
    to[at++] = byte
  }
  to[at++] = QUOTE
  out.length = at
}
