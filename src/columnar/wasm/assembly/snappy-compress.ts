import { copyBlocks } from './bytes'

/** Entries of the table of positions, of 4 bytes each. */
const TABLE_BITS: i32 = 14
/** Offsets in copies have two bytes. */
const MAX_DISTANCE: i32 = 65_535
/** So many bytes at the end are never the start of a copy, so that whole words can be loaded everywhere before. */
const TAIL: i32 = 40
/** A copy of fewer bytes saves too little for its time. */
const LEAST_MATCH: i32 = 6
/** How far behind a copy its distance is tried again: another one must begin and be known within 32 bytes. */
const LAST_REPEAT: i32 = 32 - LEAST_MATCH

/** Address behind the copy element for `length` bytes, 4 to 64, from `distance` before; a fourth byte may be written. */
function putElement(out: i32, distance: i32, length: i32): i32 {
  // both forms, and no jump: which one it is changes from copy to copy
  const isShort = length < 12 && distance < 2048
  const short = ((distance >>> 8) << 5) | ((length - 4) << 2) | 1 | ((distance & 255) << 8)
  const long = ((length - 1) << 2) | 2 | (distance << 8)
  store<i32>(out, select(short, long, isShort))
  return out + select(2, 3, isShort)
}

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
  return putElement(out, distance, length)
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

/** A bit for each of the 32 bytes at `at` that is as `distance` before. */
function sameBits(at: i32, distance: i32): u64 {
  const from = at - distance
  const low = i8x16.bitmask(i8x16.eq(v128.load(at), v128.load(from)))
  const high = i8x16.bitmask(i8x16.eq(v128.load(at, 16), v128.load(from, 16)))
  return <u64>(<u32>(low | (high << 16)))
}

/** A bit for each bit that `LEAST_MATCH` ones begin at. */
function runsOf(same: u64): u64 {
  const pairs = same & (same >>> 1)
  return pairs & (pairs >>> 2) & (pairs >>> 4)
}

/** Behind the elements that were written last. */
let written: i32 = 0

/**
 * Copies from `distance` before go on from `at`, where one has ended, wherever the next begins soon enough. Answers where
 * the last one ends, and sets `written`.
 *
 * `same` is of the 64 bytes from `base` on, which goes on by blocks of 32: loads that wait for where the copy before has
 * ended take longer than all that is done here for a copy.
 */
function putRepeats(at: i32, distance: i32, limit: i32, end: i32): i32 {
  let same = sameBits(at, distance)
  if (runsOf(same) == 0) return at
  let out = written
  let base = at
  same |= sameBits(base + 32, distance) << 32
  let runs = runsOf(same)
  while (at < limit) {
    const repeat = <i32>ctz(runs >>> (at - base))
    if (repeat > LAST_REPEAT) break
    store<u8>(out, (repeat - 1) << 2)
    v128.store(out, v128.load(at), 1)
    if (repeat > 16) v128.store(out, v128.load(at, 16), 17)
    out += 1 + repeat
    at += repeat
    const length = min(<i32>ctz(~(same >>> (at - base))), end - at)
    if (at + length < base + 64) {
      out = putElement(out, distance, length)
      at += length
    } else {
      const whole = min(end - at, length + sameLength(base + 64, base + 64 - distance, end))
      out = putCopy(out, distance, whole)
      at += whole
    }
    if (at - base > 32) {
      if (at - base <= 64) {
        base += 32
        same >>>= 32
      } else {
        base = at
        same = sameBits(base, distance)
      }
      same |= sameBits(base + 32, distance) << 32
      runs = runsOf(same)
    }
  }
  written = out
  return at
}

/** Address behind a number in groups of seven bits. */
function putVarint(out: i32, value: u32): i32 {
  for (; value >= 128; value >>>= 7) store<u8>(out++, (value & 127) | 128)
  store<u8>(out, value)
  return out + 1
}

/**
 * Compresses [start, end) into one snappy block (format description of 2011) at `out`, where 64 + count * 7 / 6 bytes
 * are free. `table` is 64 KiB that is written over. Answers where the block ends.
 *
 * Beside the usual search by hashes, the distance of the last copy is tried again: columns of texts of one shape repeat
 * themselves a row before, between values that differ.
 */
export function snappyCompress(start: i32, end: i32, out: i32, table: i32): i32 {
  written = putVarint(out, end - start)
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
    while (distance != 0) {
      const length = LEAST_MATCH + sameLength(at + LEAST_MATCH, at + LEAST_MATCH - distance, end)
      written = putCopy(putLiteral(written, pending, at), distance, length)
      at = putRepeats(at + length, distance, limit, end)
      pending = at
      if (at >= limit) break
      store<i32>(slot(table, at - 1), at - 1 - start)
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
  return putLiteral(written, pending, end)
}
