/**
 * 64-bit columns read and written as two 32-bit words (little-endian, as in Arrow), which costs no BigInt per
 * row. Numbers are exact up to 2^53 in either direction.
 */
const TWO_POW_32 = 0x1_0000_0000

/** The 32-bit words of a 64-bit column: element i is words 2i (low) and 2i + 1 (high). */
export const int64Words = (values: BigInt64Array): Int32Array =>
  new Int32Array(values.buffer, values.byteOffset, values.length * 2)

/** The 64-bit integer that lies at `index` as two words of 32 bits. */
export const readInt64 = (words: Int32Array, index: number): number =>
  (words[2 * index + 1] as number) * TWO_POW_32 + ((words[2 * index] as number) >>> 0)

/** Puts a 64-bit integer at `index` as two words of 32 bits. */
export const writeInt64 = (words: Int32Array, index: number, value: number): void => {
  const high = Math.floor(value / TWO_POW_32)
  words[2 * index + 1] = high
  words[2 * index] = (value - high * TWO_POW_32) | 0
}
