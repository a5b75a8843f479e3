/** Bitmaps as Arrow has them: least-significant bit first. */

/** Bytes that so many bits take. */
export const bytesForBits = (bits: number): number => (bits + 7) >> 3

/** 0 or 1. */
export const getBit = (bitmap: Uint8Array, at: number): number => ((bitmap[at >> 3] as number) >> (at & 7)) & 1

/** Writes a bit, 0 or 1, and leaves the others. */
export const putBit = (bitmap: Uint8Array, at: number, bit: number): void => {
  const mask = 1 << (at & 7)
  const old = bitmap[at >> 3] as number
  bitmap[at >> 3] = bit === 1 ? old | mask : old & ~mask
}

/** Sets bits [from, from + count) to 1. */
export const setBits = (bitmap: Uint8Array, from: number, count: number): void => {
  const end = from + count
  let at = from
  while (at < end && (at & 7) !== 0) putBit(bitmap, at++, 1)
  const wholeBytes = (end - at) >> 3
  bitmap.fill(0xff, at >> 3, (at >> 3) + wholeBytes)
  at += wholeBytes * 8
  while (at < end) putBit(bitmap, at++, 1)
}

/** Copies bits source[sourceFrom, sourceFrom + count) to target[targetFrom, …), a byte at a time where it can. */
export const copyBits = (
  source: Uint8Array,
  sourceFrom: number,
  target: Uint8Array,
  targetFrom: number,
  count: number,
): void => {
  const end = targetFrom + count
  let from = sourceFrom
  let to = targetFrom
  while (to < end && (to & 7) !== 0) putBit(target, to++, getBit(source, from++))
  const shift = from & 7
  for (; end - to >= 8; to += 8, from += 8) {
    const low = source[from >> 3] as number
    target[to >> 3] = shift === 0 ? low : (low >> shift) | ((source[(from >> 3) + 1] as number) << (8 - shift))
  }
  while (to < end) putBit(target, to++, getBit(source, from++))
}

/** How many of the first `count` bits are 0. */
export const countZeros = (bitmap: Uint8Array, count: number): number => {
  let ones = 0
  const wholeBytes = count >> 3
  for (let at = 0; at < wholeBytes; at++) {
    let byte = bitmap[at] as number
    byte -= (byte >> 1) & 0x55
    byte = (byte & 0x33) + ((byte >> 2) & 0x33)
    ones += (byte + (byte >> 4)) & 0x0f
  }
  for (let at = wholeBytes * 8; at < count; at++) ones += getBit(bitmap, at)
  return count - ones
}
