import { copyBlocks } from './bytes'

/** Writes texts of a page in plain encoding, each behind its length; 16 bytes behind are free. Answers where they end. */
export function prefixTexts(offsets: i32, bytes: i32, count: i32, out: i32): i32 {
  let from = load<i32>(offsets)
  for (let row = 1; row <= count; row++) {
    const end = load<i32>(offsets + (row << 2))
    const length = end - from
    store<i32>(out, length)
    copyBlocks(out + 4, bytes + from, length)
    out += 4 + length
    from = end
  }
  return out
}

/** Packs numbers of `width` bits, at most 24, from the lowest bit on; 8 bytes behind are free. Answers where they end. */
export function packNumbers(numbers: i32, count: i32, width: i32, out: i32): i32 {
  let bits: u64 = 0
  let held = 0
  for (let i = 0; i < count; i++) {
    bits |= (<u64>load<u32>(numbers + (i << 2))) << held
    held += width
    if (held >= 32) {
      store<u32>(out, <u32>bits)
      out += 4
      bits >>>= 32
      held -= 32
    }
  }
  store<u64>(out, bits)
  return out + ((held + 7) >> 3)
}

/** Below 0 where the first text comes before the second in the order of their bytes. May read 7 bytes behind both. */
function compareTexts(one: i32, length: i32, other: i32, otherLength: i32): i32 {
  const shorter = min(length, otherLength)
  for (let i = 0; i < shorter; i += 8) {
    const left = bswap(load<u64>(one + i))
    const right = bswap(load<u64>(other + i))
    if (left == right) continue
    // a difference behind the shorter text is none
    const same = <i32>(clz(left ^ right) >>> 3)
    if (i + same >= shorter) break
    return left < right ? -1 : 1
  }
  return length - otherLength
}

/** Positions of the least and the greatest of some texts, the first ones where several are equal: two words at `answer`. */
export function textExtremes(offsets: i32, bytes: i32, count: i32, answer: i32): void {
  let least = 0
  let most = 0
  let start = load<i32>(offsets)
  let end = load<i32>(offsets, 4)
  let leastAt = bytes + start
  let leastLength = end - start
  let mostAt = leastAt
  let mostLength = leastLength
  for (let row = 1; row < count; row++) {
    start = end
    end = load<i32>(offsets + (row << 2), 4)
    const at = bytes + start
    const length = end - start
    if (compareTexts(at, length, leastAt, leastLength) < 0) {
      least = row
      leastAt = at
      leastLength = length
    } else if (compareTexts(at, length, mostAt, mostLength) > 0) {
      most = row
      mostAt = at
      mostLength = length
    }
  }
  store<i32>(answer, least)
  store<i32>(answer, most, 4)
}
