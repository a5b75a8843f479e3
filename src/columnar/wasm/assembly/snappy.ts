import { copyBlocks } from './bytes'
import { repeat } from './lz4'

const MALFORMED: i32 = -1

/**
 * The elements of a snappy block (format description of 2011, behind the length at its beginning) in [at, end), written
 * to [out, outEnd), behind which 32 bytes more are free. Answers `outEnd`, or -1 where they are anything else.
 */
export function snappyBlock(at: i32, end: i32, out: i32, outEnd: i32): i32 {
  let to = out
  while (at < end) {
    const tag = <i32>load<u8>(at++)
    const kind = tag & 3
    let length: i32
    let distance = 0
    if (kind == 0) {
      length = (tag >>> 2) + 1
      if (length > 60) {
        const bytes = length - 60
        if (bytes > end - at) return MALFORMED
        // four bytes may say more than a signed number holds
        const announced: u32 = load<u32>(at) & (<u32>0xffff_ffff >>> (32 - 8 * bytes))
        if (announced >= <u32>(end - at)) return MALFORMED
        length = <i32>announced + 1
        at += bytes
      }
      if (length > end - at || length > outEnd - to) return MALFORMED
      copyBlocks(to, at, length)
      at += length
      to += length
      continue
    }
    if (kind == 1) {
      if (at >= end) return MALFORMED
      length = ((tag >>> 2) & 7) + 4
      distance = ((tag >>> 5) << 8) | <i32>load<u8>(at)
      at += 1
    } else {
      const bytes = kind == 2 ? 2 : 4
      if (bytes > end - at) return MALFORMED
      length = (tag >>> 2) + 1
      distance = kind == 2 ? <i32>load<u16>(at) : load<i32>(at)
      at += bytes
    }
    if (distance <= 0 || distance > to - out || length > outEnd - to) return MALFORMED
    repeat(to, distance, length)
    to += length
  }
  return to == outEnd ? to : MALFORMED
}
