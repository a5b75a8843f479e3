import type { Column } from '../../columnar/column.ts'

const SAMPLE_ROWS = 1024
/** The writer falls back to plain values when its dictionary outgrows this (parquet's default page size limit). */
const MAX_DICTIONARY_BYTES = 1_048_576
/** A dictionary has to make the column so much smaller before compression to be worth hashing every value. */
const WORTHWHILE_SHARE = 0.8

/**
 * Whether a dictionary pays for a column: judged from evenly spaced rows. A column of values that hardly repeat
 * costs a third more CPU with a dictionary that is thrown away in the end.
 */
export const dictionaryPays = (column: Column): boolean => {
  if (column.length === 0 || column.kind === 'bool' || column.kind === 'list') return false
  const hash = valueHash(column)
  const sampled = Math.min(SAMPLE_ROWS, column.length)
  const seen = new Set<number>()
  for (let i = 0; i < sampled; i++) seen.add(hash(Math.floor((i * column.length) / sampled)))
  const distinct = distinctInAll(seen.size, sampled, column.length)
  const plainBytes = column.length * bytesPerValue(column)
  const dictionaryBytes = distinct * bytesPerValue(column)
  const indexBytes = (column.length * Math.ceil(Math.log2(distinct + 1))) / 8
  return dictionaryBytes <= MAX_DICTIONARY_BYTES && dictionaryBytes + indexBytes < plainBytes * WORTHWHILE_SHARE
}

/**
 * How many distinct values all rows have, when a sample has `distinct`. From the birthday problem: among n rows of
 * D equally frequent values about n²/2D repeat another. Values that are not equally frequent repeat more often.
 */
const distinctInAll = (distinct: number, sampled: number, length: number): number => {
  if (sampled === length || distinct <= sampled / 2) return distinct
  const repeated = sampled - distinct
  return Math.min(length, repeated === 0 ? length : (distinct * sampled) / (2 * repeated))
}

const bytesPerValue = (column: Column): number => {
  if ('bytes' in column) return column.bytes.length / column.length + 4
  return 'values' in column ? column.values.BYTES_PER_ELEMENT : 0
}

const valueHash = (column: Exclude<Column, { kind: 'list' | 'bool' }>): ((row: number) => number) => {
  if ('bytes' in column) {
    const { offsets, bytes } = column
    return row => {
      let hash = 0x811c9dc5
      const end = offsets[row + 1] as number
      for (let at = offsets[row] as number; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193)
      return hash
    }
  }
  const { values } = column
  const width = values.BYTES_PER_ELEMENT / 4
  const words = new Int32Array(values.buffer, values.byteOffset, values.length * width)
  if (width === 1) return row => words[row] as number
  return row => Math.imul(words[2 * row] as number, 0x9e3779b1) ^ Math.imul(words[2 * row + 1] as number, 0x85ebca6b)
}
