import { assert, present } from '../base/assert.ts'
import { MillraceError } from '../base/errors.ts'
import { utf8Bytes, utf8Text } from '../base/text.ts'
import type { Column } from '../columnar/column.ts'
import { isValid } from '../columnar/column.ts'
import type { Field, TableSchema } from '../columnar/schema.ts'
import { folderColumn, NULL_PARTITION, type RowGrouping } from './row-grouping.ts'
import { type RowSet, rowSetSize } from './row-set.ts'

/** Types whose values can name folders that readers take back exactly. */
const FOLDER_TYPES: readonly string[] = ['string', 'int32', 'int64', 'bool', 'date', 'timestamp']
/** What a store takes as a part of a key (`checkKey`). */
const MAX_FOLDER_BYTES = 200
const DAY_MS = 86_400_000
/** Readers decode values of folders, but not the names of their columns. */
const UNSAFE_NAME = /[/=%?*[\]#\\\p{Cc}]/u

/**
 * Groups rows into `column=value/…`, values URL-encoded. Rows are compared as bytes and words; a text is made
 * once for each group of a batch, not for each row.
 * @throws INVALID_SCHEMA where a column is not there or of a type that makes no folders
 */
export const valueGrouping = (schema: TableSchema, names: readonly string[]): RowGrouping => {
  const positions = names.map(name => folderColumn(schema, name))
  const fields = positions.map(at => present(schema.fields[at], 'field'))
  for (const field of fields) refuseField(field)
  return (batch, rows, groups) => {
    const keys = positions.map(at => columnKey(present(batch.columns[at], 'column')))
    const firstRows = groupByKeys(keys, rows, groups)
    return firstRows.map(row => fields.map((field, at) => folderOf(field, present(keys[at], 'key'), row)).join('/'))
  }
}

const refuseField = ({ name, type }: Field): void => {
  if (!FOLDER_TYPES.includes(type)) {
    throw new MillraceError('INVALID_SCHEMA', `a column of type ${type} can't name the folders of a table: ${name}`, {
      remedy: `Partition by columns of these types: ${FOLDER_TYPES.join(', ')}.`,
      details: { column: name, type },
    })
  }
  if (!UNSAFE_NAME.test(name)) return
  throw new MillraceError('INVALID_SCHEMA', `the column ${JSON.stringify(name)} can't name the folders of a table`, {
    remedy: 'Give the column a name without / = % ? * [ ] # \\ and control characters.',
    details: { column: name },
  })
}

/** What grouping needs of a column, row by row; two nulls are the same. */
interface ColumnKey {
  readonly hash: (row: number) => number
  readonly same: (a: number, b: number) => boolean
  readonly text: (row: number) => string | null
}

/** An open hash table of rows, one for each group; made anew for each batch, so that it never outgrows one. */
const groupByKeys = (keys: readonly ColumnKey[], rows: RowSet, groups: Int32Array): readonly number[] => {
  const firstRows: number[] = []
  const count = rowSetSize(rows)
  let table = new Int32Array(64).fill(-1)
  let before = -1
  const find = (row: number): number => {
    const mask = table.length - 1
    let at = hashOf(keys, row) & mask
    for (let group = table[at] as number; group !== -1; group = table[at] as number) {
      if (sameRow(keys, firstRows[group] as number, row)) return group
      at = (at + 1) & mask
    }
    table[at] = firstRows.length
    firstRows.push(row)
    if (firstRows.length * 2 > table.length) table = grownTable(keys, firstRows, table.length * 4)
    return firstRows.length - 1
  }
  for (let i = 0; i < count; i++) {
    const row = rows.kind === 'range' ? rows.from + i : (rows.rows[i] as number)
    groups[i] = before >= 0 && sameRow(keys, before, row) ? (groups[i - 1] as number) : find(row)
    before = row
  }
  return firstRows
}

const grownTable = (
  keys: readonly ColumnKey[],
  firstRows: readonly number[],
  size: number,
): Int32Array<ArrayBuffer> => {
  const table = new Int32Array(size).fill(-1)
  for (const [group, row] of firstRows.entries()) {
    let at = hashOf(keys, row) & (size - 1)
    while (table[at] !== -1) at = (at + 1) & (size - 1)
    table[at] = group
  }
  return table
}

const hashOf = (keys: readonly ColumnKey[], row: number): number => {
  let hash = 0x811c9dc5
  for (const key of keys) hash = Math.imul(hash ^ key.hash(row), 0x01000193)
  return hash ^ (hash >>> 15)
}

const sameRow = (keys: readonly ColumnKey[], a: number, b: number): boolean => {
  for (const key of keys) if (!key.same(a, b)) return false
  return true
}

const columnKey = (column: Column): ColumnKey => {
  const values = valueKey(column)
  if (column.validity === null) return values
  return {
    hash: row => (isValid(column, row) ? values.hash(row) : 0),
    same: (a, b) => (isValid(column, a) ? isValid(column, b) && values.same(a, b) : !isValid(column, b)),
    text: row => (isValid(column, row) ? values.text(row) : null),
  }
}

const valueKey = (column: Column): ColumnKey => {
  switch (column.kind) {
    case 'bool': {
      const bit = (row: number) => ((column.values[row >> 3] as number) >> (row & 7)) & 1
      return { hash: bit, same: (a, b) => bit(a) === bit(b), text: row => String(bit(row) === 1) }
    }
    case 'int32':
    case 'date': {
      const value = (row: number) => column.values[row] as number
      const text = (row: number) => (column.kind === 'date' ? dateText(value(row)) : String(value(row)))
      return { hash: value, same: (a, b) => value(a) === value(b), text }
    }
    case 'int64':
    case 'timestamp':
      return wordPairKey(column.values, column.kind)
    case 'string':
      return bytesKey(column.offsets, column.bytes)
    default:
      assert(false, `a column of kind ${column.kind} makes no folders`)
  }
}

const wordPairKey = (values: BigInt64Array, kind: 'int64' | 'timestamp'): ColumnKey => {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2)
  const low = (row: number) => words[2 * row] as number
  const high = (row: number) => words[2 * row + 1] as number
  return {
    hash: row => Math.imul(low(row), 0x01000193) ^ high(row),
    same: (a, b) => low(a) === low(b) && high(a) === high(b),
    text: row => (kind === 'timestamp' ? timestampText(values[row] as bigint) : String(values[row])),
  }
}

const bytesKey = (offsets: Int32Array, bytes: Uint8Array): ColumnKey => ({
  hash: row => {
    let hash = 0
    const end = offsets[row + 1] as number
    for (let at = offsets[row] as number; at < end; at++) hash = Math.imul(hash, 31) + (bytes[at] as number)
    return hash | 0
  },
  same: (a, b) => {
    const fromA = offsets[a] as number
    const fromB = offsets[b] as number
    const length = (offsets[a + 1] as number) - fromA
    if ((offsets[b + 1] as number) - fromB !== length) return false
    for (let i = 0; i < length; i++) if (bytes[fromA + i] !== bytes[fromB + i]) return false
    return true
  },
  text: row => utf8Text(bytes.subarray(offsets[row], offsets[row + 1])),
})

const dateText = (days: number): string => isoText(days * DAY_MS)?.split('T')[0] ?? String(days)
const timestampText = (timeMs: bigint): string => isoText(Number(timeMs)) ?? String(timeMs)
/** `null` beyond what a date can say (275,760 years). */
const isoText = (timeMs: number): string | null => {
  const date = new Date(timeMs)
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}

const folderOf = (field: Field, key: ColumnKey, row: number): string => {
  const text = key.text(row)
  const folder = `${field.name}=${text === null ? NULL_PARTITION : folderValue(text)}`
  if (utf8Bytes(folder).length <= MAX_FOLDER_BYTES) return folder
  throw new MillraceError('STAGE_FAILED', `a value of column ${field.name} is too long to name a folder: ${folder}`, {
    remedy: 'Filter such rows out or shorten the value in a stage, or partition by another column.',
    details: { column: field.name, bytes: folder.length },
  })
}

/** A text that readers would take for null gets its first letter encoded; DuckDB reads `NULL` in any case as null. */
const folderValue = (text: string): string => {
  if (text !== NULL_PARTITION && text.toLowerCase() !== 'null') return encodeURIComponent(text)
  return `%${text.charCodeAt(0).toString(16).toUpperCase()}${text.slice(1)}`
}
