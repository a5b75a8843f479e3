import { copyBlocks } from './bytes'

const MALFORMED: i32 = -1
const TOO_LARGE: i32 = -2
const MIN_MATCH: i32 = 4

const MAX_LENGTH: i32 = 0x4000_0000
let lengthRead: i32 = 0

/** Goes on reading a length that fills its half of the token: `lengthRead`. Answers the address behind it, or MALFORMED. */
function readLength(at: i32, end: i32, length: i32): i32 {
  while (at < end) {
    const byte = <i32>load<u8>(at++)
    // a length beyond all memory stays one: a sum could pass the greatest integer
    length = min(length + byte, MAX_LENGTH)
    if (byte == 255) continue
    lengthRead = length
    return at
  }
  return MALFORMED
}

/** Bytes that a sequence of short literals and a short match may read and write at once. */
const SHORT_SEQUENCE: i32 = 64

/**
 * One block (LZ4 Block Format) in [at, end), written to [outStart, outEnd), behind which 32 bytes more are free. Answers
 * where its contents end, or a negative code. `lowest` is the first address that a match may refer to.
 */
export function lz4Block(at: i32, end: i32, outStart: i32, outEnd: i32, lowest: i32): i32 {
  let to = outStart
  const safeEnd = end - SHORT_SEQUENCE
  const safeOut = outEnd - SHORT_SEQUENCE
  while (at < end) {
    const token = <i32>load<u8>(at++)
    let literals = token >>> 4
    let length = (token & 15) + MIN_MATCH
    if (at <= safeEnd && to <= safeOut && literals != 15) {
      // nearly all sequences: far from both ends, nothing but the distance needs to be checked
      v128.store(to, v128.load(at))
      at += literals
      to += literals
      const distance = <i32>load<u16>(at)
      if (distance >= 16 && length != 15 + MIN_MATCH && distance <= to - lowest) {
        const from = to - distance
        v128.store(to, v128.load(from))
        store<u32>(to, load<u32>(from, 16), 16)
        at += 2
        to += length
        continue
      }
    } else {
      if (literals == 15) {
        at = readLength(at, end, literals)
        if (at < 0) return MALFORMED
        literals = lengthRead
      }
      // both are compared without adding: a sum could pass the greatest integer
      if (literals > end - at) return MALFORMED
      if (literals > outEnd - to) return TOO_LARGE
      copyBlocks(to, at, literals)
      at += literals
      to += literals
      // the last sequence of a block has no match
      if (at == end) return to
    }
    if (at + 2 > end) return MALFORMED
    const distance = <i32>load<u16>(at)
    at += 2
    if (length == 15 + MIN_MATCH) {
      at = readLength(at, end, length)
      if (at < 0) return MALFORMED
      length = lengthRead
    }
    if (distance == 0 || distance > to - lowest) return MALFORMED
    if (length > outEnd - to) return TOO_LARGE
    if (distance >= 16) copyFar(to, distance, length)
    else repeat(to, distance, length)
    to += length
  }
  // a block ends with literals, so it never ends here
  return MALFORMED
}

/** As `repeat` from at least 16 bytes before. With one caller it becomes part of that. */
function copyFar(to: i32, distance: i32, length: i32): void {
  const from = to - distance
  v128.store(to, v128.load(from))
  v128.store(to, v128.load(from, 16), 16)
  for (let i = 32; i < length; i += 16) v128.store(to + i, v128.load(from + i))
}

/** Copies `length` bytes from `distance` before `to`; they may overlap, and then repeat. Up to 28 bytes more are written. */
export function repeat(to: i32, distance: i32, length: i32): void {
  const from = to - distance
  if (distance >= 16) {
    v128.store(to, v128.load(from))
    if (length <= 16) return
    v128.store(to, v128.load(from, 16), 16)
    for (let i = 32; i < length; i += 16) v128.store(to + i, v128.load(from + i))
  } else if (distance >= 8) {
    for (let i = 0; i < length; i += 8) store<u64>(to + i, load<u64>(from + i))
  } else {
    for (let i = 0; i < length; i++) store<u8>(to + i, load<u8>(from + i))
  }
}
