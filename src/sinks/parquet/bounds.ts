import { assertNever } from '../../base/assert.ts'
import { utf8Bytes, utf8Text } from '../../base/text.ts'
import type { BinaryColumn, ScalarColumn } from '../../columnar/column.ts'
import type { Extremes } from '../../columnar/page-encoder.ts'
import type { ScalarType } from '../../columnar/schema.ts'

/** The least and the greatest value of a page or a column chunk, in plain encoding without a length. */
export interface Bounds {
  readonly least: Uint8Array
  readonly most: Uint8Array
}

/** Longer texts are cut: a bound needs only to be below or above. */
const MAX_TEXT_BYTES = 64

/** Values of a page at these positions. */
export const boundsAt = (values: ScalarColumn, { least, most }: Extremes): Bounds => ({
  least: valueBytes(values, least, -0),
  most: valueBytes(values, most, 0),
})

/** The bounds of both. */
export const widest = (type: ScalarType, one: Bounds, other: Bounds): Bounds => ({
  least: compareValues(type, one.least, other.least) <= 0 ? one.least : other.least,
  most: compareValues(type, one.most, other.most) >= 0 ? one.most : other.most,
})

/** `zero`: how a zero is written, since readers can't tell which of the two was meant. */
const valueBytes = (values: ScalarColumn, row: number, zero: number): Uint8Array => {
  if ('bytes' in values) return bytesOf(values, row)
  if (values.kind === 'bool') return Uint8Array.of(((values.values[row >> 3] as number) >> (row & 7)) & 1)
  const one = values.values.slice(row, row + 1)
  if ((values.kind === 'float32' || values.kind === 'float64') && one[0] === 0) one[0] = zero
  return new Uint8Array(one.buffer, one.byteOffset, one.byteLength)
}

const bytesOf = ({ offsets, bytes }: BinaryColumn, row: number): Uint8Array =>
  bytes.slice(offsets[row] as number, offsets[row + 1] as number)

/** In the order that Parquet gives to values of the type: below 0 where `one` comes first. */
export const compareValues = (type: ScalarType, one: Uint8Array, other: Uint8Array): number => {
  switch (type) {
    case 'bool':
      return (one[0] as number) - (other[0] as number)
    case 'int32':
    case 'date':
      return compared(viewOf(one).getInt32(0, true), viewOf(other).getInt32(0, true))
    case 'int64':
    case 'timestamp':
      return compared(viewOf(one).getBigInt64(0, true), viewOf(other).getBigInt64(0, true))
    case 'float32':
      return compared(viewOf(one).getFloat32(0, true), viewOf(other).getFloat32(0, true))
    case 'float64':
      return compared(viewOf(one).getFloat64(0, true), viewOf(other).getFloat64(0, true))
    case 'string':
    case 'json':
    case 'bytes':
      return Buffer.compare(one, other)
    default:
      return assertNever(type)
  }
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const compared = <V extends number | bigint>(one: V, other: V): number => (one < other ? -1 : one > other ? 1 : 0)

/** A bound as it is written, and whether it is the value itself. */
export interface WrittenBound {
  readonly bytes: Uint8Array
  readonly exact: boolean
}

/** A lower bound of at most about 64 bytes. */
export const lowerBound = (type: ScalarType, value: Uint8Array): WrittenBound => {
  const cut = isVarying(type) ? cutLength(type, value) : value.length
  return { bytes: value.subarray(0, cut), exact: cut === value.length }
}

/** An upper bound of at most about 64 bytes, or the value itself where none is shorter. */
export const upperBound = (type: ScalarType, value: Uint8Array): WrittenBound => {
  const cut = isVarying(type) ? cutLength(type, value) : value.length
  if (cut === value.length) return { bytes: value, exact: true }
  const prefix = value.subarray(0, cut)
  const above = type === 'bytes' ? nextBytes(prefix) : nextText(prefix)
  return above === null ? { bytes: value, exact: true } : { bytes: above, exact: false }
}

const isVarying = (type: ScalarType): boolean => type === 'string' || type === 'json' || type === 'bytes'

/** Text is cut between two characters. */
const cutLength = (type: ScalarType, value: Uint8Array): number => {
  if (value.length <= MAX_TEXT_BYTES) return value.length
  if (type === 'bytes') return MAX_TEXT_BYTES
  let cut = MAX_TEXT_BYTES
  while (cut > 0 && ((value[cut] as number) & 0xc0) === 0x80) cut--
  return cut
}

/** The least bytes of at most this length that are greater than whatever begins with the prefix. */
const nextBytes = (prefix: Uint8Array): Uint8Array | null => {
  for (let at = prefix.length - 1; at >= 0; at--) {
    if (prefix[at] === 0xff) continue
    const above = prefix.slice(0, at + 1)
    above[at] = (prefix[at] as number) + 1
    return above
  }
  return null
}

const LAST_CHARACTER = 0x10_ffff
const BEFORE_SURROGATES = 0xd7ff
const BEHIND_SURROGATES = 0xe000

/** As `nextBytes`, and still UTF-8: whose order is that of the characters' numbers. */
const nextText = (prefix: Uint8Array): Uint8Array | null => {
  const characters = Array.from(utf8Text(prefix))
  for (let at = characters.length - 1; at >= 0; at--) {
    const number = characters[at]?.codePointAt(0) ?? LAST_CHARACTER
    if (number === LAST_CHARACTER) continue
    const next = number === BEFORE_SURROGATES ? BEHIND_SURROGATES : number + 1
    return utf8Bytes(characters.slice(0, at).join('') + String.fromCodePoint(next))
  }
  return null
}
