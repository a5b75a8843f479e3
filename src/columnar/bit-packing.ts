/** Parquet's hybrid of runs and bit-packed groups of 8 (Encodings.md, RLE/bit-packing hybrid), always as one run. */

/** Bits that numbers below `size` take, at least 1: not every reader knows what to do with none. */
export const bitWidth = (size: number): number => Math.max(1, 32 - Math.clz32(size - 1))

/** The most bytes that `putHybrid` writes. */
export const maxHybridBytes = (count: number, width: number): number => 5 + 4 + ((count + 7) >> 3) * width

/** Writes numbers of `width` bits, at most 24, and answers where they end. */
export const putHybrid = (numbers: Int32Array | Uint8Array, width: number, out: Uint8Array, at: number): number => {
  return isOneRun(numbers)
    ? putRun(numbers[0] ?? 0, numbers.length, width, out, at)
    : putPacked(numbers, width, out, at)
}

/** Whether all numbers are the same. */
export const isOneRun = (numbers: Int32Array | Uint8Array): boolean => {
  const [first] = numbers
  let same = 0
  while (same < numbers.length && numbers[same] === first) same++
  return same === numbers.length
}

/** Writes `count` times the same number. */
export const putRun = (number: number, count: number, width: number, out: Uint8Array, at: number): number => {
  let end = putVarint(count << 1, out, at)
  for (let bits = 0; bits < width; bits += 8) out[end++] = number >>> bits
  return end
}

/** Writes what begins a bit-packed run of so many numbers; it is filled up to a multiple of 8. */
export const putPackedHeader = (count: number, out: Uint8Array, at: number): number =>
  putVarint((((count + 7) >> 3) << 1) | 1, out, at)

const putPacked = (numbers: Int32Array | Uint8Array, width: number, out: Uint8Array, at: number): number => {
  let end = putPackedHeader(numbers.length, out, at)
  const until = end + ((numbers.length + 7) >> 3) * width
  let bits = 0
  let held = 0
  for (let i = 0; i < numbers.length; i++) {
    bits |= (numbers[i] as number) << held
    for (held += width; held >= 8; held -= 8) {
      out[end++] = bits
      bits >>>= 8
    }
  }
  if (end < until) out[end++] = bits
  out.fill(0, end, until)
  return until
}

const putVarint = (value: number, out: Uint8Array, at: number): number => {
  let end = at
  let rest = value
  for (; rest >= 128; rest >>>= 7) out[end++] = (rest & 127) | 128
  out[end++] = rest
  return end
}
