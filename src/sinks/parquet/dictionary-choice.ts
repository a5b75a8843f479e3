import type { ScalarColumn } from '../../columnar/column.ts'
import { plainLength } from '../../columnar/plain-values.ts'

const SAMPLE_ROWS = 1024
/** Of long values fewer are looked at: where some dozens are all different, a dictionary does not pay. */
const SAMPLE_BYTES = 65_536
const LEAST_SAMPLE_ROWS = 64
/** Of a longer value so many bytes are looked at, evenly spaced. */
const SAMPLE_VALUE_BYTES = 256
/** A dictionary that outgrows this is given up (parquet-mr's default for its page). */
export const MAX_DICTIONARY_BYTES = 1_048_576
/** A dictionary has to make the column so much smaller before compression to be worth hashing every value. */
const WORTHWHILE_SHARE = 0.8

type Values = Exclude<ScalarColumn, { kind: 'bool' }>

/**
 * Whether a dictionary pays for a column of these dense values: judged from evenly spaced ones. A column of values that
 * hardly repeat costs a third more CPU with a dictionary that is thrown away in the end.
 */
export const dictionaryPays = (values: Values): boolean => {
  const { length } = values
  if (length === 0) return false
  const distinct = Math.min(length, distinctInAll(countsOfSample(values)))
  const plainBytes = plainLength(values)
  const dictionaryBytes = (distinct * plainBytes) / length
  const indexBytes = (length * Math.ceil(Math.log2(distinct + 1))) / 8
  return dictionaryBytes <= MAX_DICTIONARY_BYTES && dictionaryBytes + indexBytes < plainBytes * WORTHWHILE_SHARE
}

/** How often each value occurs in the sample, by its hash. */
const countsOfSample = (values: Values): ReadonlyMap<number, number> => {
  const hash = valueHash(values)
  const counts = new Map<number, number>()
  const rowsOfBytes = Math.floor((SAMPLE_BYTES * values.length) / Math.max(1, plainLength(values)))
  const sampled = Math.min(SAMPLE_ROWS, values.length, Math.max(LEAST_SAMPLE_ROWS, rowsOfBytes))
  for (let i = 0; i < sampled; i++) {
    const value = hash(Math.floor((i * values.length) / sampled))
    counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  return counts
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

const valueHash = (column: Values): ((row: number) => number) => {
  if ('bytes' in column) {
    const { offsets, bytes } = column
    return row => {
      const start = offsets[row] as number
      const end = offsets[row + 1] as number
      const step = Math.max(1, Math.floor((end - start) / SAMPLE_VALUE_BYTES))
      let hash = 0x811c9dc5 ^ (end - start)
      for (let at = start; at < end; at += step) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193)
      return hash
    }
  }
  const { values } = column
  const width = values.BYTES_PER_ELEMENT / 4
  const words = new Int32Array(values.buffer, values.byteOffset, values.length * width)
  if (width === 1) return row => words[row] as number
  return row => Math.imul(words[2 * row] as number, 0x9e3779b1) ^ Math.imul(words[2 * row + 1] as number, 0x85ebca6b)
}
