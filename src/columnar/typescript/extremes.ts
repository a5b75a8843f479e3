import { assertNever } from '../../base/assert.ts'
import type { BinaryColumn, ScalarColumn } from '../column.ts'
import { int64Words } from '../int64-words.ts'
import type { Extremes } from '../page-encoder.ts'

/** Positions of the least and the greatest of dense values; see `PageEncoder`. The first ones where several are equal. */
export const extremes = (values: ScalarColumn): Extremes | null => {
  if (values.length === 0) return null
  switch (values.kind) {
    case 'bool':
      return extremesOfBits(values.values, values.length)
    case 'int32':
    case 'date':
      return extremesOfNumbers(values.values, values.length)
    case 'float32':
    case 'float64':
      return extremesOfFloats(values.values, values.length)
    case 'int64':
    case 'timestamp':
      return extremesOfLongs(int64Words(values.values), values.length)
    case 'string':
    case 'json':
    case 'bytes':
      return extremesOfTexts(values)
    default:
      return assertNever(values)
  }
}

const extremesOfBits = (bits: Uint8Array, length: number): Extremes => {
  let least = 0
  let most = 0
  const bit = (at: number): number => ((bits[at >> 3] as number) >> (at & 7)) & 1
  for (let at = 1; at < length && least === most; at++) {
    if (bit(at) < bit(least)) least = at
    if (bit(at) > bit(most)) most = at
  }
  return { least, most }
}

const extremesOfNumbers = (values: Int32Array, length: number): Extremes => {
  let least = 0
  let most = 0
  let lowest = values[0] as number
  let highest = lowest
  for (let at = 1; at < length; at++) {
    const value = values[at] as number
    if (value < lowest) {
      lowest = value
      least = at
    } else if (value > highest) {
      highest = value
      most = at
    }
  }
  return { least, most }
}

const extremesOfFloats = (values: Float32Array | Float64Array, length: number): Extremes | null => {
  let least = 0
  let most = 0
  let lowest = values[0] as number
  let highest = lowest
  for (let at = 0; at < length; at++) {
    const value = values[at] as number
    if (value < lowest) {
      lowest = value
      least = at
    } else if (value > highest) {
      highest = value
      most = at
    } else if (Number.isNaN(value)) return null
  }
  return { least, most }
}

/** By pairs of words: reading a BigInt64Array makes a BigInt for each element. */
const extremesOfLongs = (words: Int32Array, length: number): Extremes => {
  let least = 0
  let most = 0
  for (let at = 1; at < length; at++) {
    if (isBelow(words, at, least)) least = at
    else if (isBelow(words, most, at)) most = at
  }
  return { least, most }
}

const isBelow = (words: Int32Array, one: number, other: number): boolean => {
  const high = words[2 * one + 1] as number
  const otherHigh = words[2 * other + 1] as number
  if (high !== otherHigh) return high < otherHigh
  return (words[2 * one] as number) >>> 0 < (words[2 * other] as number) >>> 0
}

const extremesOfTexts = (column: BinaryColumn): Extremes => {
  let least = 0
  let most = 0
  for (let at = 1; at < column.length; at++) {
    if (compareTexts(column, at, least) < 0) least = at
    else if (compareTexts(column, at, most) > 0) most = at
  }
  return { least, most }
}

/** By unsigned bytes, which is the order of UTF-8's characters as well. */
const compareTexts = ({ offsets, bytes }: BinaryColumn, one: number, other: number): number => {
  const start = offsets[one] as number
  const otherStart = offsets[other] as number
  const length = (offsets[one + 1] as number) - start
  const otherLength = (offsets[other + 1] as number) - otherStart
  const shorter = Math.min(length, otherLength)
  for (let at = 0; at < shorter; at++) {
    const difference = (bytes[start + at] as number) - (bytes[otherStart + at] as number)
    if (difference !== 0) return difference
  }
  return length - otherLength
}
