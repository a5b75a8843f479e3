import { int64Words, readInt64 } from '../../int64-words.ts'

/** Rows of a batch and the group that each was assigned to. */
export interface GroupedRows {
  /** The rows that count, in this order; `null` for all. */
  readonly selection: Int32Array | null
  /** The group of each row that counts. */
  readonly groupOf: Int32Array
  readonly count: number
  /** How many groups there are by now. */
  readonly groups: number
}

/** Values of a numeric column. */
export type NumberValues = Int32Array | BigInt64Array | Float32Array | Float64Array

/** A numeric column of a batch, and the groups that its rows belong to. */
export interface GroupedColumn<Values extends NumberValues = NumberValues> {
  readonly values: Values
  /** A bit of 0 marks a null, which counts for nothing; `null` where there is none. */
  readonly validity: Uint8Array | null
  readonly rows: GroupedRows
}

/** Open addressing over keys of a fixed number of 32-bit words; see `WordTable`. */
export interface WordTableArrays {
  readonly width: number
  /** Number of a group and 1, or 0 where a slot is free; a power of 2. */
  readonly slots: Int32Array
  readonly hashes: Int32Array
  readonly words: Int32Array
  readonly touched: Uint8Array
  /** How many groups there are: the loop counts on. */
  count: number
}

/**
 * The inner loops of group tables. All work on arrays that the table owns and that are large enough. A group that
 * a value came to is marked in `seen`.
 */
export interface GroupLoops {
  /** Puts one or two words of each row to keys[at], keys[at + stride], … */
  packWords(
    values: Int32Array,
    words: 1 | 2,
    selection: Int32Array | null,
    rows: number,
    keys: Int32Array,
    at: number,
    stride: number,
  ): void
  /** Puts 1 for each null, 0 for other rows, `words` behind keys[at + stride * row], and 0 over what lies under a null. */
  packNulls(
    validity: Uint8Array,
    words: number,
    selection: Int32Array | null,
    rows: number,
    keys: Int32Array,
    at: number,
    stride: number,
  ): void
  /** Finds or makes the group of each key from `row` on. Answers `rows`, or the row at which the table has to grow. */
  assignGroups(table: WordTableArrays, keys: Int32Array, row: number, rows: number, groupOf: Int32Array): number
  /** Counts rows, or those that are not null, in 64-bit integers of two words. */
  countRows(counts: Int32Array, validity: Uint8Array | null, rows: GroupedRows): void
  /** Adds doubles up in the order of the rows. */
  sumDoubles(sums: Float64Array, seen: Uint8Array, column: GroupedColumn): void
  /** Adds integers up in 64 bits; false where a sum does not fit. */
  sumIntegers(sums: Int32Array, seen: Uint8Array, column: GroupedColumn<Int32Array | BigInt64Array>): boolean
  /** Keeps the least (-1) or the greatest (1) number: NaN is greater than every other, and zeros are equal. */
  extremeDoubles(extremes: Float64Array, seen: Uint8Array, direction: Direction, column: GroupedColumn): void
  /** As `extremeDoubles`, for integers of 64 bits. */
  extremeLongs(extremes: Int32Array, seen: Uint8Array, direction: Direction, column: GroupedColumn<BigInt64Array>): void
}

/** Least (-1) or greatest (1). */
export type Direction = -1 | 1

/** Whether the bit of a row is not set. */
export const isNull = (validity: Uint8Array, row: number): boolean =>
  ((validity[row >> 3] as number) & (1 << (row & 7))) === 0

/** The reference of all loops. */
export const typescriptLoops: GroupLoops = {
  packWords(values, words, selection, rows, keys, at, stride) {
    for (let i = 0; i < rows; i += 1) {
      const row = selection === null ? i : (selection[i] as number)
      keys[at + i * stride] = values[words * row] as number
      if (words === 2) keys[at + i * stride + 1] = values[2 * row + 1] as number
    }
  },

  packNulls(validity, words, selection, rows, keys, at, stride) {
    for (let i = 0; i < rows; i += 1) {
      const key = at + i * stride
      const isNone = isNull(validity, selection === null ? i : (selection[i] as number))
      keys[key + words] = isNone ? 1 : 0
      if (isNone) keys.fill(0, key, key + words)
    }
  },

  assignGroups(table, keys, from, rows, groupOf) {
    const { width, slots, hashes, words, touched } = table
    const mask = slots.length - 1
    for (let row = from; row < rows; row += 1) {
      const key = row * width
      const hash = hashWords(keys, key, width)
      let slot = hash & mask
      let group = mask < 0 ? -1 : (slots[slot] as number) - 1
      while (group !== -1 && !(hashes[group] === hash && sameWords(words, group * width, keys, key, width))) {
        slot = (slot + 1) & mask
        group = (slots[slot] as number) - 1
      }
      if (group === -1) {
        if (table.count === hashes.length) return row
        group = table.count++
        hashes[group] = hash
        for (let word = 0; word < width; word += 1) words[group * width + word] = keys[key + word] as number
        slots[slot] = group + 1
      }
      touched[group] = 1
      groupOf[row] = group
    }
    return rows
  },

  countRows(counts, validity, { selection, groupOf, count }) {
    for (let i = 0; i < count; i += 1) {
      if (validity !== null && isNull(validity, selection === null ? i : (selection[i] as number))) continue
      const at = 2 * (groupOf[i] as number)
      const low = ((counts[at] as number) + 1) | 0
      counts[at] = low
      if (low === 0) counts[at + 1] = (counts[at + 1] as number) + 1
    }
  },

  sumDoubles(sums, seen, { values, validity, rows: { selection, groupOf, count } }) {
    const numbers = values instanceof BigInt64Array ? doublesOf(values) : values
    for (let i = 0; i < count; i += 1) {
      const row = selection === null ? i : (selection[i] as number)
      if (validity !== null && isNull(validity, row)) continue
      const group = groupOf[i] as number
      sums[group] = (sums[group] as number) + (numbers[row] as number)
      seen[group] = 1
    }
  },

  sumIntegers(sums, seen, { values, validity, rows: { selection, groupOf, count } }) {
    const isLong = values instanceof BigInt64Array
    const words = isLong ? int64Words(values) : values
    for (let i = 0; i < count; i += 1) {
      const row = selection === null ? i : (selection[i] as number)
      if (validity !== null && isNull(validity, row)) continue
      const low = words[isLong ? 2 * row : row] as number
      const high = isLong ? (words[2 * row + 1] as number) : low >> 31
      const group = groupOf[i] as number
      if (!addWords(sums, 2 * group, low, high)) return false
      seen[group] = 1
    }
    return true
  },

  extremeDoubles(extremes, seen, direction, { values, validity, rows: { selection, groupOf, count } }) {
    const numbers = values instanceof BigInt64Array ? doublesOf(values) : values
    for (let i = 0; i < count; i += 1) {
      const row = selection === null ? i : (selection[i] as number)
      if (validity !== null && isNull(validity, row)) continue
      const group = groupOf[i] as number
      const value = numbers[row] as number
      if (seen[group] === 1 && compareNumbers(value, extremes[group] as number) * direction <= 0) continue
      // adding 0 turns -0 into 0: which of two equal zeros came first must not show
      extremes[group] = value + 0
      seen[group] = 1
    }
  },

  extremeLongs(extremes, seen, direction, { values, validity, rows: { selection, groupOf, count } }) {
    const words = int64Words(values)
    for (let i = 0; i < count; i += 1) {
      const row = selection === null ? i : (selection[i] as number)
      if (validity !== null && isNull(validity, row)) continue
      const group = groupOf[i] as number
      if (seen[group] === 1 && compareLongs(words, 2 * row, extremes, 2 * group) * direction <= 0) continue
      extremes[2 * group] = words[2 * row] as number
      extremes[2 * group + 1] = words[2 * row + 1] as number
      seen[group] = 1
    }
  },
}

/** MurmurHash3 (Appleby, public domain), x86 32-bit variant over whole words. */
const hashWords = (words: Int32Array, at: number, width: number): number => {
  let state = 0
  for (let word = 0; word < width; word += 1) {
    let block = Math.imul(words[at + word] as number, 0xcc9e2d51)
    block = (block << 15) | (block >>> 17)
    state ^= Math.imul(block, 0x1b873593)
    state = (state << 13) | (state >>> 19)
    state = (Math.imul(state, 5) + 0xe6546b64) | 0
  }
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35)
  return state ^ (state >>> 16)
}

const sameWords = (one: Int32Array, oneAt: number, other: Int32Array, otherAt: number, width: number): boolean => {
  for (let word = 0; word < width; word += 1) if (one[oneAt + word] !== other[otherAt + word]) return false
  return true
}

/** 64-bit integers as doubles; beyond 2^53 rounded, as in every sum of doubles. */
const doublesOf = (values: BigInt64Array): Float64Array => {
  const words = int64Words(values)
  const doubles = new Float64Array(values.length)
  for (let row = 0; row < doubles.length; row += 1) doubles[row] = readInt64(words, row)
  return doubles
}

/** Adds an integer to sums[at, at + 2) with carry, without a BigInt; false where the sum does not fit. */
const addWords = (sums: Int32Array, at: number, low: number, high: number): boolean => {
  const lowSum = ((sums[at] as number) >>> 0) + (low >>> 0)
  const highSum = (sums[at + 1] as number) + high + (lowSum > 0xffff_ffff ? 1 : 0)
  if (highSum !== (highSum | 0)) return false
  sums[at] = lowSum | 0
  sums[at + 1] = highSum
  return true
}

/** Order of numbers as in DuckDB and Spark: NaN is greater than every number, and equals itself; -0 equals 0. */
const compareNumbers = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : a === b ? 0 : nanOrder(a, b))
const nanOrder = (a: number, b: number): number => Number(Number.isNaN(a)) - Number(Number.isNaN(b))

const compareLongs = (one: Int32Array, oneAt: number, other: Int32Array, otherAt: number): number => {
  const byHigh = (one[oneAt + 1] as number) - (other[otherAt + 1] as number)
  return byHigh === 0 ? ((one[oneAt] as number) >>> 0) - ((other[otherAt] as number) >>> 0) : byHigh
}
