/** Copies as many whole blocks of 16 bytes as hold `count` bytes: up to 15 bytes behind the copy are overwritten. */
export function copyBlocks(to: i32, from: i32, count: i32): void {
  if (count > 256) {
    memory.copy(to, from, count)
    return
  }
  for (let i = 0; i < count; i += 16) v128.store(to + i, v128.load(from + i))
}

/** Whether `count` bytes are the same. Reads up to 15 bytes behind both. */
export function sameBytes(one: i32, other: i32, count: i32): bool {
  let i = 0
  for (; i + 16 <= count; i += 16) {
    if (v128.any_true(v128.xor(v128.load(one + i), v128.load(other + i)))) return false
  }
  const differing = ~i8x16.bitmask(i8x16.eq(v128.load(one + i), v128.load(other + i)))
  return (differing & ((1 << (count - i)) - 1)) == 0
}
