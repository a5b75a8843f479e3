import { MillraceError } from '../../base/errors.ts'
import type { Field } from '../../columnar/schema.ts'

/** A row with the values that a row view would show. */
export type ReadRow = Readonly<Record<string, unknown>>

/**
 * Reads a row that a view holds as JSON: numbers of int64 columns with all their digits. Columns that it lacks are null.
 * @throws REDIS_WRONG_TYPE where it is not what a view holds
 */
export const readJsonRow = (fields: readonly Field[], text: string): ReadRow => {
  const members = new Map(membersOf(text))
  return rowOf(fields, name => {
    const raw = members.get(name)
    return raw === undefined || raw === 'null' ? null : raw.startsWith('"') ? stringOf(raw) : raw
  })
}

/** As `readJsonRow`, for a row that is held as a hash. */
export const readHashRow = (fields: readonly Field[], hash: Readonly<Record<string, string>>): ReadRow =>
  rowOf(fields, name => hash[name] ?? null)

const rowOf = (fields: readonly Field[], textOf: (name: string) => string | null): ReadRow =>
  Object.fromEntries(
    fields.map(({ name, type }) => {
      const text = textOf(name)
      return [name, text === null ? null : valueOf(type, text)]
    }),
  )

const DAY_MS = 86_400_000

const valueOf = (type: Field['type'], text: string): unknown => {
  switch (type) {
    case 'int64':
      return /^-?\d+$/.test(text) ? BigInt(text) : notARow()
    case 'int32':
    case 'float32':
    case 'float64':
      return text === '' ? notARow() : Number(text)
    case 'bool':
      return text === 'true'
    case 'timestamp':
      return timeOf(text)
    case 'date':
      return Math.round(timeOf(text) / DAY_MS)
    case 'bytes':
      return new Uint8Array(Buffer.from(text, 'base64'))
    default:
      return text
  }
}

const timeOf = (text: string): number => {
  const time = /^-?\d+$/.test(text) ? Number(text) : Date.parse(text)
  return Number.isNaN(time) ? notARow() : time
}

/** Names and raw texts of an object's members; what is within strings and lists is passed over. */
const membersOf = (text: string): readonly (readonly [string, string])[] => {
  if (!text.startsWith('{') || !text.endsWith('}')) return notARow()
  const members: (readonly [string, string])[] = []
  for (let at = 1; at < text.length - 1; ) {
    const nameEnd = endOfValue(text, at)
    const valueEnd = endOfValue(text, nameEnd + 1)
    if (text[nameEnd] !== ':' || valueEnd <= nameEnd + 1) return notARow()
    members.push([stringOf(text.slice(at, nameEnd)), text.slice(nameEnd + 1, valueEnd)])
    at = valueEnd + 1
  }
  return members
}

/** Where a value ends that begins at `start`: at the next colon, comma or brace that is in no string and no list. */
const endOfValue = (text: string, start: number): number => {
  let depth = 0
  for (let at = start; at < text.length; at += 1) {
    const character = text[at]
    if (character === '"') at = endOfString(text, at)
    else if (character === '[' || character === '{') depth += 1
    else if (depth > 0 && (character === ']' || character === '}')) depth -= 1
    else if (depth === 0 && (character === ':' || character === ',' || character === '}')) return at
  }
  return notARow()
}

const endOfString = (text: string, start: number): number => {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1
    else if (text[at] === '"') return at
  }
  return notARow()
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

const stringOf = (raw: string): string => {
  if (!raw.startsWith('"') || !raw.endsWith('"') || raw.length < 2) return notARow()
  return raw
    .slice(1, -1)
    .replaceAll(/\\(?:u([0-9a-fA-F]{4})|(.))/g, (_, code: string | undefined, plain: string) =>
      code === undefined ? (ESCAPES[plain] ?? plain) : String.fromCharCode(Number.parseInt(code, 16)),
    )
}

const notARow = (): never => {
  throw new MillraceError('REDIS_WRONG_TYPE', 'a key of the view does not hold one of its rows', {
    remedy: 'Let nothing else write to the keys of the view; it is rebuilt when its metadata key is deleted.',
  })
}
