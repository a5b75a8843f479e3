import { assert, present } from '../base/assert.ts'
import { MillraceError } from '../base/errors.ts'
import { utf8Bytes, utf8Text } from '../base/text.ts'
import type { BinaryColumn, Column } from '../columnar/column.ts'
import { isValid } from '../columnar/column.ts'
import type { Field, TableSchema } from '../columnar/schema.ts'
import { folderColumn, type GroupKernels, NULL_PARTITION, type RowGrouping } from './row-grouping.ts'

/** Types whose values can name folders that readers take back exactly. */
const FOLDER_TYPES: readonly string[] = ['string', 'int32', 'int64', 'bool', 'date', 'timestamp']
/** What a store takes as a part of a key (`checkKey`). */
const MAX_FOLDER_BYTES = 200
const DAY_MS = 86_400_000
/** Readers decode values of folders, but not the names of their columns. */
const UNSAFE_NAME = /[/=%?*[\]#\\\p{Cc}]/u

/**
 * Groups rows into `column=value/…`, values URL-encoded. A text is made once for each group of a batch, not for each row.
 * @throws INVALID_SCHEMA where a column is not there or of a type that makes no folders
 */
export const valueGrouping = (schema: TableSchema, names: readonly string[], kernels: GroupKernels): RowGrouping => {
  const fields = names.map(name => present(schema.fields[folderColumn(schema, name)], 'field'))
  for (const field of fields) refuseField(field)
  return (batch, groups) => {
    // made anew for each batch, so that it never outgrows one
    const table = kernels.groupTable(schema, { keys: names, aggregates: [] })
    try {
      table.number(batch, groups)
      const { columns, length } = table.all()
      return Array.from({ length }, (_, group) =>
        fields.map((field, at) => folderOf(field, textAt(present(columns[at], 'key'), group))).join('/'),
      )
    } finally {
      table.dispose()
    }
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

/** How the value of a row names its folder; `null` where it has none. */
const textAt = (column: Column, row: number): string | null => {
  if (!isValid(column, row)) return null
  switch (column.kind) {
    case 'bool':
      return String((((column.values[row >> 3] as number) >> (row & 7)) & 1) === 1)
    case 'int32':
      return String(column.values[row])
    case 'date':
      return dateText(column.values[row] as number)
    case 'int64':
      return String(column.values[row])
    case 'timestamp':
      return timestampText(column.values[row] as bigint)
    case 'string':
      return utf8Text(column.bytes.subarray(column.offsets[row], column.offsets[row + 1]))
    default:
      assert(false, `a column of kind ${column.kind} makes no folders`)
  }
}

const dateText = (days: number): string => isoText(days * DAY_MS)?.split('T')[0] ?? String(days)
const timestampText = (timeMs: bigint): string => isoText(Number(timeMs)) ?? String(timeMs)
/** `null` beyond what a date can say (275,760 years). */
const isoText = (timeMs: number): string | null => {
  const date = new Date(timeMs)
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}

const folderOf = ({ name }: Field, text: string | null): string => {
  const folder = folderName(name, text)
  if (fits(folder)) return folder
  throw tooLong(name, folder)
}

const folderName = (name: string, text: string | null): string =>
  `${name}=${text === null ? NULL_PARTITION : folderValue(text)}`

const fits = (folder: string): boolean => utf8Bytes(folder).length <= MAX_FOLDER_BYTES

const tooLong = (column: string, folder: string): MillraceError => {
  const shown = folder.length > MAX_FOLDER_BYTES ? `${folder.slice(0, MAX_FOLDER_BYTES)}…` : folder
  return new MillraceError('STAGE_FAILED', `a value of column ${column} is too long to name a folder: ${shown}`, {
    remedy: 'Filter such rows out or shorten the value in a stage, or partition by another column.',
    details: { column, bytes: folder.length },
  })
}

/** URL-encoding makes three bytes of one at most. */
const MOST_ENCODED = 3

/** Why the text of a row can't name a folder of a table; `null` where it can. */
export const folderRefusal = (name: string, { offsets, bytes }: BinaryColumn, row: number): MillraceError | null => {
  const start = offsets[row] as number
  const end = offsets[row + 1] as number
  // names have no more bytes than that, and most texts are not looked at
  if (MOST_ENCODED * (end - start + name.length) + 1 <= MAX_FOLDER_BYTES) return null
  const folder = folderName(name, utf8Text(bytes.subarray(start, end)))
  return fits(folder) ? null : tooLong(name, folder)
}

/** A text that readers would take for null gets its first letter encoded; DuckDB reads `NULL` in any case as null. */
const folderValue = (text: string): string => {
  if (text !== NULL_PARTITION && text.toLowerCase() !== 'null') return encodeURIComponent(text)
  return `%${text.charCodeAt(0).toString(16).toUpperCase()}${text.slice(1)}`
}
