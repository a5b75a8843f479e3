const SEED = 0x9747b28c
const MIX = 0x5bd1e995
const SHIFT = 24

/** MurmurHash2 of `bytes[start, end)`, by which Java's default partitioner tells keys apart. */
export const murmur2 = (bytes: Uint8Array, start: number, end: number): number => {
  let hash = SEED ^ (end - start)
  let at = start
  for (; at + 4 <= end; at += 4) {
    const word = Math.imul(littleEndian(bytes, at, 4), MIX)
    hash = Math.imul(hash, MIX) ^ Math.imul(word ^ (word >>> SHIFT), MIX)
  }
  if (at < end) hash = Math.imul(hash ^ littleEndian(bytes, at, end - at), MIX)
  hash = Math.imul(hash ^ (hash >>> 13), MIX)
  return hash ^ (hash >>> 15)
}

const littleEndian = (bytes: Uint8Array, at: number, count: number): number => {
  let value = 0
  for (let byte = 0; byte < count; byte += 1) value |= (bytes[at + byte] as number) << (8 * byte)
  return value
}

/** The partition of a key, as Java's default partitioner chooses it. */
export const partitionOfKey = (bytes: Uint8Array, start: number, end: number, partitions: number): number =>
  (murmur2(bytes, start, end) & 0x7fffffff) % partitions
