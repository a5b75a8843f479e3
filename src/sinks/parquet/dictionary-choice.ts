import { type Column, isValid } from '../../columnar/column.ts'

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
  const { counts, sampled } = sampleOf(column)
  const values = Math.round((column.length * sampled) / Math.min(SAMPLE_ROWS, column.length))
  const distinct = Math.min(values, distinctInAll(counts))
  const plainBytes = values * bytesPerValue(column)
  const dictionaryBytes = distinct * bytesPerValue(column)
  const indexBytes = (values * Math.ceil(Math.log2(distinct + 1))) / 8
  return dictionaryBytes <= MAX_DICTIONARY_BYTES && dictionaryBytes + indexBytes < plainBytes * WORTHWHILE_SHARE
}

/** How often each value occurs in the sample, by its hash; nulls are not stored and don't count. */
const sampleOf = (column: Exclude<Column, { kind: 'list' | 'bool' }>) => {
  const hash = valueHash(column)
  const counts = new Map<number, number>()
  const rows = Math.min(SAMPLE_ROWS, column.length)
  let sampled = 0
  for (let i = 0; i < rows; i++) {
    const row = Math.floor((i * column.length) / rows)
    if (!isValid(column, row)) continue
    const value = hash(row)
    counts.set(value, (counts.get(value) ?? 0) + 1)
    sampled++
  }
  return { counts, sampled }
}

/**
 * How many distinct values there are at least, judged by how many the sample has once and how many twice: Chao's
 * estimator, bias-corrected (Chao 1984, 1987). A sample in which nothing repeats gives a very large number.
 */
const distinctInAll = (counts: ReadonlyMap<number, number>): number => {
  let once = 0
  let twice = 0
  for (const count of counts.values()) {
    if (count === 1) once++
    else if (count === 2) twice++
  }
  return counts.size + (once * (once - 1)) / (2 * (twice + 1))
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
