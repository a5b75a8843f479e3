import { copyBlocks, sameBytes } from './bytes'

/** The dictionary would be larger than it may. */
const TOO_LARGE: i32 = -1
const PREFIX_BYTES: i32 = 4

/**
 * Distinct values, numbered in the order in which they came. The host provides the memory and writes the words, in this
 * order; slots hold one more than a number, 0 where they are free, and are never more than half full.
 */
@unmanaged
export class Dictionary {
  size: i32
  /** How many values there is room for, and twice as many slots, a power of 2. */
  capacity: i32
  /** Bytes of the values, and how many there is room for; 16 more are free. */
  used: i32
  room: i32
  /** The most bytes in plain encoding. */
  limit: i32
  bytes: i32
  /** Where each value begins in `bytes`, and where the last one ends. */
  offsets: i32
  hashes: i32
  slots: i32
}

/** May read 7 bytes behind the value. */
function hashOf(at: i32, length: i32): i32 {
  let hash: u64 = <u64>length * 0x9e37_79b1_85eb_ca87
  while (length >= 8) {
    hash = (hash ^ load<u64>(at)) * 0xc2b2_ae3d_27d4_eb4f
    hash ^= hash >>> 32
    at += 8
    length -= 8
  }
  if (length > 0) {
    hash = (hash ^ (load<u64>(at) & (((<u64>1) << ((<u64>length) << 3)) - 1))) * 0xc2b2_ae3d_27d4_eb4f
    hash ^= hash >>> 32
  }
  return <i32>hash
}

/** The number of a value; -1 where the dictionary would be too large, -2 where it needs more room. */
function numberOf(dictionary: Dictionary, at: i32, length: i32, prefix: i32): i32 {
  const hash = hashOf(at, length)
  const mask = (dictionary.capacity << 1) - 1
  let slot = hash & mask
  while (true) {
    const entry = load<i32>(dictionary.slots + (slot << 2))
    if (entry == 0) break
    if (load<i32>(dictionary.hashes + (entry << 2) - 4) == hash) {
      const start = load<i32>(dictionary.offsets + (entry << 2) - 4)
      const end = load<i32>(dictionary.offsets + (entry << 2))
      if (end - start == length && sameBytes(dictionary.bytes + start, at, length)) return entry - 1
    }
    slot = (slot + 1) & mask
  }
  const size = dictionary.size
  const used = dictionary.used
  if (used + size * prefix + length + prefix > dictionary.limit) return TOO_LARGE
  if (size == dictionary.capacity || used + length > dictionary.room) return -2
  copyBlocks(dictionary.bytes + used, at, length)
  dictionary.used = used + length
  store<i32>(dictionary.offsets + (size << 2), used + length, 4)
  store<i32>(dictionary.hashes + (size << 2), hash)
  store<i32>(dictionary.slots + (slot << 2), size + 1)
  dictionary.size = size + 1
  return size
}

/**
 * Numbers the texts from `row` on. Answers `count`, or the row at which more room is needed, or -1 where the dictionary
 * would be too large.
 */
export function numberTexts(at: i32, offsets: i32, bytes: i32, row: i32, count: i32, numbers: i32): i32 {
  const dictionary = changetype<Dictionary>(at)
  for (; row < count; row++) {
    const start = load<i32>(offsets + (row << 2))
    const end = load<i32>(offsets + (row << 2), 4)
    const number = numberOf(dictionary, bytes + start, end - start, PREFIX_BYTES)
    if (number < 0) return number == TOO_LARGE ? TOO_LARGE : row
    store<i32>(numbers + (row << 2), number)
  }
  return count
}

/** As `numberTexts`, for values of `width` bytes each. */
export function numberWords(at: i32, values: i32, width: i32, row: i32, count: i32, numbers: i32): i32 {
  const dictionary = changetype<Dictionary>(at)
  for (; row < count; row++) {
    const number = numberOf(dictionary, values + row * width, width, 0)
    if (number < 0) return number == TOO_LARGE ? TOO_LARGE : row
    store<i32>(numbers + (row << 2), number)
  }
  return count
}

/** Fills slots anew, after the host has provided more of them. */
export function rehash(at: i32): void {
  const dictionary = changetype<Dictionary>(at)
  const mask = (dictionary.capacity << 1) - 1
  memory.fill(dictionary.slots, 0, dictionary.capacity << 3)
  for (let number = 0; number < dictionary.size; number++) {
    let slot = load<i32>(dictionary.hashes + (number << 2)) & mask
    while (load<i32>(dictionary.slots + (slot << 2)) != 0) slot = (slot + 1) & mask
    store<i32>(dictionary.slots + (slot << 2), number + 1)
  }
}
