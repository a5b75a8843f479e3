import { copyBlocks } from './bytes'

const MALFORMED: i32 = -1
const TOO_LARGE: i32 = -2
const MIN_MATCH: i32 = 4

/**
 * One block (LZ4 Block Format) in [at, end), written to [outStart, outEnd), behind which 32 bytes more are free. Answers
 * where its contents end, or a negative code. `lowest` is the first address that a match may refer to.
 */
export function lz4Block(at: i32, end: i32, outStart: i32, outEnd: i32, lowest: i32): i32 {
  let to = outStart
  while (at < end) {
    const token = <i32>load<u8>(at++)
    let literals = token >>> 4
    if (literals == 15) {
      let byte: i32
      do {
        if (at >= end) return MALFORMED
        byte = load<u8>(at++)
        literals += byte
      } while (byte == 255)
    }
    // both are compared without adding: a sum could pass the greatest integer
    if (literals > end - at) return MALFORMED
    if (literals > outEnd - to) return TOO_LARGE
    if (literals <= 16) v128.store(to, v128.load(at))
    else copyBlocks(to, at, literals)
    at += literals
    to += literals
    // the last sequence of a block has no match
    if (at == end) return to
    if (at + 2 > end) return MALFORMED
    const distance = <i32>load<u16>(at)
    at += 2
    let length = (token & 15) + MIN_MATCH
    if (length == 15 + MIN_MATCH) {
      let byte: i32
      do {
        if (at >= end) return MALFORMED
        byte = load<u8>(at++)
        length += byte
      } while (byte == 255)
    }
    if (distance == 0 || distance > to - lowest) return MALFORMED
    if (length > outEnd - to) return TOO_LARGE
    repeat(to, distance, length)
    to += length
  }
  // a block ends with literals, so it never ends here
  return MALFORMED
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
