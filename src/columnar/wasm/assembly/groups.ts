/**
 * The hash table that the host keeps: see `typescript/groups/`, whose loops work on the same arrays where there was
 * no room for them in this memory. So both hash alike.
 */
@unmanaged
class WordTable {
  width: i32
  count: i32
  /** Of groups; there are at least twice as many slots. */
  capacity: i32
  mask: i32
  /** Number of a group and 1, or 0. */
  slots: i32
  hashes: i32
  words: i32
  /** 1 for each group that was assigned. */
  touched: i32
}

/** MurmurHash3 (Appleby, public domain), x86 32-bit variant over whole words. */
function hashWords(at: i32, width: i32): i32 {
  let hash: i32 = 0
  for (let word = 0; word < width; word++) {
    hash ^= rotl<i32>(load<i32>(at + (word << 2)) * 0xcc9e2d51, 15) * 0x1b873593
    hash = rotl<i32>(hash, 13) * 5 + 0xe6546b64
  }
  hash = (hash ^ (hash >>> 16)) * 0x85ebca6b
  hash = (hash ^ (hash >>> 13)) * 0xc2b2ae35
  return hash ^ (hash >>> 16)
}

function sameWords(one: i32, other: i32, width: i32): bool {
  for (let at = 0; at < width << 2; at += 4) if (load<i32>(one + at) != load<i32>(other + at)) return false
  return true
}

/**
 * Finds or makes the group of each key from number `row` on and writes its number to `groupOf`. Answers `rows`, or the row
 * at which the table has to grow first.
 */
export function assignGroups(tableAt: i32, keys: i32, row: i32, rows: i32, groupOf: i32): i32 {
  const table = changetype<WordTable>(tableAt)
  const width = table.width
  const mask = table.mask
  const slots = table.slots
  const stride = width << 2
  for (; row < rows; row++) {
    const key = keys + row * stride
    const hash = hashWords(key, width)
    let slot = hash & mask
    let group = load<i32>(slots + (slot << 2)) - 1
    while (group >= 0) {
      // a key of few words is as quickly compared as its hash is fetched
      if (sameWords(table.words + group * stride, key, width)) break
      slot = (slot + 1) & mask
      group = load<i32>(slots + (slot << 2)) - 1
    }
    if (group < 0) {
      if (table.count == table.capacity) return row
      group = table.count++
      store<i32>(table.hashes + (group << 2), hash)
      memory.copy(table.words + group * stride, key, stride)
      store<i32>(slots + (slot << 2), group + 1)
    }
    store<u8>(table.touched + group, 1)
    store<i32>(groupOf + (row << 2), group)
  }
  return rows
}

/** Row of the batch that comes at `position`; `selection` 0 where all rows count. */
function rowAt(selection: i32, position: i32): i32 {
  return selection == 0 ? position : load<i32>(selection + (position << 2))
}

function isNull(validity: i32, row: i32): bool {
  return validity != 0 && ((<i32>load<u8>(validity + (row >> 3)) >> (row & 7)) & 1) == 0
}

/** Puts one word (`words` 1) or two of each row to `to`, `stride` words apart. */
export function packWords(values: i32, words: i32, selection: i32, rows: i32, to: i32, stride: i32): void {
  stride <<= 2
  if (words == 1) {
    for (let i = 0; i < rows; i++, to += stride) store<i32>(to, load<i32>(values + (rowAt(selection, i) << 2)))
  } else {
    for (let i = 0; i < rows; i++, to += stride) store<i64>(to, load<i64>(values + (rowAt(selection, i) << 3)))
  }
}

/** Puts 1 for each null, 0 for other rows, `words` behind its key, and 0 over the words that lie under a null. */
export function packNulls(validity: i32, words: i32, selection: i32, rows: i32, to: i32, stride: i32): void {
  stride <<= 2
  words <<= 2
  for (let i = 0; i < rows; i++, to += stride) {
    const isNone = isNull(validity, rowAt(selection, i))
    store<i32>(to + words, isNone ? 1 : 0)
    if (isNone) memory.fill(to, 0, words)
  }
}

/** Counts rows by group, or values that are not null, in 64 bits. */
export function countRows(counts: i32, validity: i32, selection: i32, groupOf: i32, rows: i32): void {
  for (let i = 0; i < rows; i++) {
    if (validity != 0 && isNull(validity, rowAt(selection, i))) continue
    const at = counts + (load<i32>(groupOf + (i << 2)) << 3)
    store<i64>(at, load<i64>(at) + 1)
  }
}

/** What a number lies in. */
const enum NumberKind {
  double = 0,
  float = 1,
  int = 2,
  long = 3,
}

function numberAt(values: i32, kind: i32, row: i32): f64 {
  if (kind == NumberKind.double) return load<f64>(values + (row << 3))
  if (kind == NumberKind.float) return <f64>load<f32>(values + (row << 2))
  return <f64>integerAt(values, kind, row)
}

function integerAt(values: i32, kind: i32, row: i32): i64 {
  return kind == NumberKind.int ? <i64>load<i32>(values + (row << 2)) : load<i64>(values + (row << 3))
}

/** Adds numbers up by group as doubles, in the order of the rows. */
export function sumDoubles(
  sums: i32,
  seen: i32,
  kind: i32,
  values: i32,
  validity: i32,
  selection: i32,
  groupOf: i32,
  rows: i32,
): void {
  for (let i = 0; i < rows; i++) {
    const row = rowAt(selection, i)
    if (isNull(validity, row)) continue
    const group = load<i32>(groupOf + (i << 2))
    const at = sums + (group << 3)
    store<f64>(at, load<f64>(at) + numberAt(values, kind, row))
    store<u8>(seen + group, 1)
  }
}

/** Adds integers up by group. Answers false where a sum does not fit 64 bits. */
export function sumIntegers(
  sums: i32,
  seen: i32,
  kind: i32,
  values: i32,
  validity: i32,
  selection: i32,
  groupOf: i32,
  rows: i32,
): bool {
  for (let i = 0; i < rows; i++) {
    const row = rowAt(selection, i)
    if (isNull(validity, row)) continue
    const value = integerAt(values, kind, row)
    const group = load<i32>(groupOf + (i << 2))
    const before = load<i64>(sums + (group << 3))
    const after = before + value
    if (((before ^ after) & (value ^ after)) < 0) return false
    store<i64>(sums + (group << 3), after)
    store<u8>(seen + group, 1)
  }
  return true
}

/** Whether NaN, greater than every number, or a greater number than the other. */
function isGreater(one: f64, other: f64): bool {
  return one > other || (isNaN<f64>(one) && !isNaN<f64>(other))
}

/** Keeps the least (`direction` -1) or greatest (1) number of each group. */
export function extremeDoubles(
  extremes: i32,
  seen: i32,
  direction: i32,
  kind: i32,
  values: i32,
  validity: i32,
  selection: i32,
  groupOf: i32,
  rows: i32,
): void {
  for (let i = 0; i < rows; i++) {
    const row = rowAt(selection, i)
    if (isNull(validity, row)) continue
    const group = load<i32>(groupOf + (i << 2))
    const at = extremes + (group << 3)
    const value = numberAt(values, kind, row)
    const held = load<f64>(at)
    if (load<u8>(seen + group) != 0 && !(direction > 0 ? isGreater(value, held) : isGreater(held, value))) continue
    // adding 0 turns -0 into 0: which of two equal zeros came first must not show
    store<f64>(at, value + 0)
    store<u8>(seen + group, 1)
  }
}

/** As `extremeDoubles`, for integers of 64 bits. */
export function extremeLongs(
  extremes: i32,
  seen: i32,
  direction: i32,
  values: i32,
  validity: i32,
  selection: i32,
  groupOf: i32,
  rows: i32,
): void {
  for (let i = 0; i < rows; i++) {
    const row = rowAt(selection, i)
    if (isNull(validity, row)) continue
    const group = load<i32>(groupOf + (i << 2))
    const at = extremes + (group << 3)
    const value = load<i64>(values + (row << 3))
    const held = load<i64>(at)
    if (load<u8>(seen + group) != 0 && !(direction > 0 ? value > held : value < held)) continue
    store<i64>(at, value)
    store<u8>(seen + group, 1)
  }
}
