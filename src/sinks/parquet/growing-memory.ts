import { MillraceError } from '../../base/errors.ts'

/** Offsets are int32 in Arrow's layout. */
const MAX_BYTES = 0x7fff_ffff

/** Room for at least `needed` elements: at least doubled, so that growing costs a constant per element. */
const grownSize = (needed: number, size: number): number => Math.max(needed, size * 2, 64)

/** The array itself, or a larger one that begins with its first `used` elements. */
export const grownInt32 = (array: Int32Array, used: number, needed: number): Int32Array => {
  if (needed <= array.length) return array
  const grown = new Int32Array(grownSize(needed, array.length))
  grown.set(array.subarray(0, used))
  return grown
}

/** As `grownInt32`, for bytes. @throws ENCODING_FAILED beyond 2 GiB */
export const grownBytes = (array: Uint8Array, used: number, needed: number): Uint8Array => {
  if (needed <= array.length) return array
  if (needed > MAX_BYTES) {
    throw new MillraceError('ENCODING_FAILED', 'a column of one file holds more than 2 GiB', {
      remedy: 'Lower maxFileBytes, or make batches smaller (maxOffsetsPerTrigger).',
    })
  }
  const grown = new Uint8Array(Math.min(MAX_BYTES, grownSize(needed, array.length)))
  grown.set(array.subarray(0, used))
  return grown
}
