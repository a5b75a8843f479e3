import { copyBlocks } from './bytes'

/** Entries of the table of positions, of 4 bytes each. */
const TABLE_BITS: i32 = 14
/** Offsets in copies have two bytes. */
const MAX_DISTANCE: i32 = 65_535
/** So many bytes at the end are never the start of a copy, so that whole words can be loaded everywhere before. */
const TAIL: i32 = 40
/** A copy of fewer bytes saves too little for its time. */
const LEAST_MATCH: i32 = 6

/** Address behind the copy elements for `length` bytes from `distance` before. */
function putCopy(out: i32, distance: i32, length: i32): i32 {
  while (length > 64) {
    // what is left must be long enough for an element of its own
    const part = length < 68 ? 60 : 64
    store<u8>(out, ((part - 1) << 2) | 2)
    store<u16>(out, distance, 1)
    out += 3
    length -= part
  }
  if (length < 12 && distance < 2048) {
    store<u8>(out, ((distance >>> 8) << 5) | ((length - 4) << 2) | 1)
    store<u8>(out, distance, 1)
    return out + 2
  }
  store<u8>(out, ((length - 1) << 2) | 2)
  store<u16>(out, distance, 1)
  return out + 3
}

/** Address behind the literal element for [from, to); writes up to 15 bytes more. */
function putLiteral(out: i32, from: i32, to: i32): i32 {
  const last = to - from - 1
  if (last < 0) return out
  if (last < 16) {
    store<u8>(out, last << 2)
    v128.store(out, v128.load(from), 1)
    return out + 2 + last
  }
  if (last < 60) {
    store<u8>(out++, last << 2)
  } else if (last < 256) {
    store<u8>(out, 60 << 2)
    store<u8>(out, last, 1)
    out += 2
  } else if (last < 65_536) {
    store<u8>(out, 61 << 2)
    store<u16>(out, last, 1)
    out += 3
  } else {
    store<u8>(out, 63 << 2)
    store<u32>(out, last, 1)
    out += 5
  }
  copyBlocks(out, from, to - from)
  return out + to - from
}

/** By the next six bytes. */
function slot(table: i32, at: i32): i32 {
  const hash = (load<i32>(at) ^ (<i32>load<u16>(at, 4) * <i32>0x9e37_79b1)) * <i32>0x85eb_ca6b
  return table + ((hash >>> (32 - TABLE_BITS)) << 2)
}

/** Whether `LEAST_MATCH` bytes are the same. */
function matches(one: i32, other: i32): bool {
  return (load<u64>(one) ^ load<u64>(other)) << 16 == 0
}

/** How many bytes are the same, at most up to `end`. */
function sameLength(one: i32, other: i32, end: i32): i32 {
  const start = one
  while (one + 16 <= end) {
    const differing = ~i8x16.bitmask(i8x16.eq(v128.load(one), v128.load(other))) & 0xffff
    if (differing != 0) return one - start + ctz(differing)
    one += 16
    other += 16
  }
  while (one < end && load<u8>(one) == load<u8>(other)) {
    one++
    other++
  }
  return one - start
}

/** Where in the 32 bytes from `at` on the first `LEAST_MATCH` are as `distance` before; 32 where nowhere. */
function nextRepeat(at: i32, distance: i32): i32 {
  const from = at - distance
  const low = <u32>i8x16.bitmask(i8x16.eq(v128.load(at), v128.load(from)))
  const high = <u32>i8x16.bitmask(i8x16.eq(v128.load(at, 16), v128.load(from, 16)))
  const same = low | (high << 16)
  const pairs = same & (same >>> 1)
  return <i32>ctz(pairs & (pairs >>> 2) & (pairs >>> 4))
}

/**
 * Compresses [start, end) into one snappy block (format description of 2011) at `out`, where 32 + count * 7 / 6 bytes
 * are free. `table` is 64 KiB that is written over. Answers where the block ends.
 *
 * Beside the usual search by hashes, the distance of the last copy is tried again: columns of texts of one shape repeat
 * themselves a row before, between values that differ.
 */
export function snappyCompress(start: i32, end: i32, out: i32, table: i32): i32 {
  for (let rest: u32 = end - start; ; rest >>>= 7) {
    if (rest < 128) {
      store<u8>(out++, rest)
      break
    }
    store<u8>(out++, (rest & 127) | 128)
  }
  memory.fill(table, 0, 4 << TABLE_BITS)
  const limit = end - TAIL
  let pending = start
  let at = start + 1
  while (at < limit) {
    let distance = 0
    for (let misses = 32; at < limit; misses++) {
      const entry = slot(table, at)
      const candidate = start + load<i32>(entry)
      store<i32>(entry, at - start)
      if (at - candidate <= MAX_DISTANCE && matches(at, candidate)) {
        distance = at - candidate
        break
      }
      at += misses >> 5
    }
    if (distance == 0) break
    while (true) {
      out = putLiteral(out, pending, at)
      const length = LEAST_MATCH + sameLength(at + LEAST_MATCH, at + LEAST_MATCH - distance, end)
      out = putCopy(out, distance, length)
      at += length
      pending = at
      if (at >= limit) break
      store<i32>(slot(table, at - 1), at - 1 - start)
      const repeat = nextRepeat(at, distance)
      if (repeat < 32) {
        at += repeat
        continue
      }
      const entry = slot(table, at)
      const candidate = start + load<i32>(entry)
      store<i32>(entry, at - start)
      if (at - candidate > MAX_DISTANCE || !matches(at, candidate)) {
        at++
        break
      }
      distance = at - candidate
    }
  }
  return putLiteral(out, pending, end)
}
