import { assertNever } from '../../base/assert.ts'
import { float32Text } from '../../base/format.ts'
import type { ColumnType, Field } from '../../columnar/schema.ts'

const DAY_MS = 86_400_000
/** What stands for null in a key. A text that is just this is written with an escape. */
const NULL_PART = '~'
const textBytes = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** A point in time as ISO 8601; beyond what that can say, a number of milliseconds. */
const isoText = (timeMs: number): string => {
  const date = new Date(timeMs)
  return Number.isNaN(date.getTime()) ? String(timeMs) : date.toISOString()
}

/**
 * A value of a row view as plain text: digits for numbers, ISO 8601 for times (UTC), base64 for bytes, JSON for lists.
 */
export const plainText = (type: ColumnType, value: unknown): string => {
  if (Array.isArray(value)) return jsonText(type, value)
  switch (type) {
    case 'timestamp':
      return isoText(value as number)
    case 'date':
      return isoText((value as number) * DAY_MS).replace(/T.*/, '')
    case 'bytes':
      return textBytes(value as Uint8Array)
    case 'float32':
      return float32Text(value as number)
    default:
      return String(value)
  }
}

/**
 * A value of a row view as JSON: int64 with all its digits, times as ISO 8601, bytes as base64, nested JSON as a string,
 * numbers that JSON has not as null.
 */
export const jsonText = (type: ColumnType, value: unknown): string => {
  if (value === null) return 'null'
  if (Array.isArray(value)) {
    const item = type.slice('list<'.length, -1) as ColumnType
    return `[${value.map(each => jsonText(item, each)).join(',')}]`
  }
  switch (typeof value) {
    case 'boolean':
    case 'bigint':
      return String(value)
    case 'number':
      if (type === 'timestamp' || type === 'date') return JSON.stringify(plainText(type, value))
      return Number.isFinite(value) ? plainText(type, value) : 'null'
    default:
      return JSON.stringify(plainText(type, value))
  }
}

/** A row as one text: of a hash its fields and values in turn (nulls left out), of a string its JSON. */
export const rowText = (
  format: 'hash' | 'json',
  fields: readonly Field[],
  row: Readonly<Record<string, unknown>>,
): string => {
  switch (format) {
    case 'hash': {
      const present = fields.filter(({ name }) => row[name] !== null)
      return JSON.stringify(present.flatMap(({ name, type }) => [name, plainText(type, row[name])]))
    }
    case 'json':
      return `{${fields.map(({ name, type }) => `${JSON.stringify(name)}:${jsonText(type, row[name])}`).join(',')}}`
    default:
      return assertNever(format)
  }
}

/** One part of a key: `%`, `:` and what is not visible are percent-encoded, so that different values never meet. */
export const keyPart = (type: ColumnType, value: unknown): string => {
  if (value === null) return NULL_PART
  const text = plainText(type, value)
  if (type !== 'string') return text
  if (text === NULL_PART) return '%7E'
  return text.replace(/[%:\s\p{Cc}\p{Cf}]/gu, character => encodeURIComponent(character))
}

/** What a row is found by within its view: its key columns, separated by colons. */
export const keyOf = (fields: readonly Field[], row: Readonly<Record<string, unknown>>): string =>
  fields.map(({ name, type }) => keyPart(type, row[name])).join(':')
