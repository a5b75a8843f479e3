import type { ScalarColumn } from './column.ts'

/** Bytes of a value without a length of its own; 0 where lengths vary or values are bits. */
export const valueWidth = (kind: ScalarColumn['kind']): 0 | 4 | 8 => {
  switch (kind) {
    case 'int32':
    case 'date':
    case 'float32':
      return 4
    case 'int64':
    case 'timestamp':
    case 'float64':
      return 8
    default:
      return 0
  }
}

/** Bytes of dense values in Parquet's plain encoding: text and bytes behind their length, bools as bits. */
export const plainLength = (values: ScalarColumn): number => {
  const { length } = values
  if (values.kind === 'bool') return (length + 7) >> 3
  if (!('bytes' in values)) return length * valueWidth(values.kind)
  return (values.offsets[length] as number) - (values.offsets[0] as number) + 4 * length
}

/** The bytes of a column whose values all have the same width. */
export const fixedBytes = (values: Exclude<ScalarColumn, { kind: 'string' | 'json' | 'bytes' }>): Uint8Array =>
  new Uint8Array(values.values.buffer, values.values.byteOffset, plainLength(values))

/** From here on a native copy is worth the view object that it takes. */
const NATIVE_COPY_BYTES = 256

/** Writes dense values in Parquet's plain encoding. */
export const putPlain = (values: ScalarColumn, out: Uint8Array, at: number): void => {
  if (!('bytes' in values)) {
    out.set(fixedBytes(values), at)
    // what lies behind the last bit is not ours
    const used = values.kind === 'bool' ? values.length & 7 : 0
    const last = at + (values.length >> 3)
    if (used !== 0) out[last] = (out[last] as number) & ((1 << used) - 1)
    return
  }
  const { offsets, bytes, length } = values
  let to = at
  let from = offsets[0] as number
  for (let row = 0; row < length; row++) {
    const end = offsets[row + 1] as number
    const count = end - from
    out[to] = count
    out[to + 1] = count >>> 8
    out[to + 2] = count >>> 16
    out[to + 3] = count >>> 24
    to += 4
    if (count >= NATIVE_COPY_BYTES) {
      out.set(bytes.subarray(from, end), to)
      to += count
      from = end
    } else for (; from < end; from++) out[to++] = bytes[from] as number
  }
}
