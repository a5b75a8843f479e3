import { assertNever } from '../../base/assert.ts'
import { float32Text } from '../../base/format.ts'
import { type Column, isValid, type ScalarColumn } from '../../columnar/column.ts'

const DAY_MS = 86_400_000
/** Longer values are cut when they are read, before they are formatted. */
const MAX_VALUE_BYTES = 4096
const MAX_LIST_ELEMENTS = 100
/** Invalid bytes are shown as U+FFFD: a value cut in the middle of a character is no error here. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** A value as people read it: ISO 8601 for times, hexadecimal for bytes, `null` for null. */
export const cellText = (column: Column, row: number): string => {
  if (!isValid(column, row)) return 'null'
  if (column.kind === 'list') return `[${elements(column, row, cellText).join(', ')}]`
  if ('bytes' in column) return column.kind === 'bytes' ? `0x${hexOf(bytesAt(column, row))}` : textAt(column, row)
  return scalarText(column, row)
}

/**
 * A value as JSON text: int64 with all its digits, times as ISO 8601, bytes as base64, nested JSON as a string, numbers
 * that JSON has not as null.
 */
export const cellJson = (column: Column, row: number): string => {
  if (!isValid(column, row)) return 'null'
  switch (column.kind) {
    case 'list':
      return `[${elements(column, row, cellJson).join(',')}]`
    case 'string':
    case 'json':
      return jsonString(textAt(column, row))
    case 'bytes':
      return jsonString(Buffer.from(bytesAt(column, row)).toString('base64'))
    case 'date':
    case 'timestamp':
      return jsonString(scalarText(column, row))
    case 'float32':
    case 'float64':
      return Number.isFinite(column.values[row]) ? scalarText(column, row) : 'null'
    default:
      return scalarText(column, row)
  }
}

/** A JSON string in which no character acts on a terminal. */
export const jsonString = (text: string): string =>
  JSON.stringify(text).replace(
    /[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

type FixedWidthColumn = Exclude<ScalarColumn, { kind: 'string' | 'json' | 'bytes' }>

const scalarText = (column: FixedWidthColumn, row: number): string => {
  switch (column.kind) {
    case 'bool':
      return String((((column.values[row >> 3] as number) >> (row & 7)) & 1) === 1)
    case 'int32':
    case 'int64':
    case 'float64':
      return String(column.values[row])
    case 'float32':
      return float32Text(column.values[row] as number)
    case 'date':
      return isoText((column.values[row] as number) * DAY_MS).replace(/T.*/, '')
    case 'timestamp':
      return isoText(Number(column.values[row]))
    default:
      return assertNever(column)
  }
}

/** Times beyond what ISO 8601 can say (275,760 years) are shown as a number of milliseconds. */
const isoText = (timeMs: number): string => {
  const date = new Date(timeMs)
  return Number.isNaN(date.getTime()) ? String(timeMs) : date.toISOString()
}

type BinaryOf = Extract<ScalarColumn, { kind: 'string' | 'json' | 'bytes' }>

const bytesAt = ({ offsets, bytes }: BinaryOf, row: number): Uint8Array => {
  const start = offsets[row] as number
  return bytes.subarray(start, Math.min(offsets[row + 1] as number, start + MAX_VALUE_BYTES))
}

const textAt = (column: BinaryOf, row: number): string => decoder.decode(bytesAt(column, row))

const hexOf = (bytes: Uint8Array): string => {
  let hex = ''
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0')
  return hex
}

const elements = (
  column: Extract<Column, { kind: 'list' }>,
  row: number,
  format: (column: Column, row: number) => string,
): readonly string[] => {
  const start = column.offsets[row] as number
  const end = Math.min(column.offsets[row + 1] as number, start + MAX_LIST_ELEMENTS)
  return Array.from({ length: end - start }, (_, at) => format(column.child, start + at))
}
