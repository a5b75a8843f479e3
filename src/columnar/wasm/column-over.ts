import { assert } from '../../base/assert.ts'
import type { ScalarColumn } from '../column.ts'
import { fixedBytes, plainLength } from '../plain-values.ts'
import type { KernelMemory } from './kernel-memory.ts'

/** Dense values of one width, or bits, as they lie in the kernels' memory; not copied. */
export const columnOver = (
  { memory }: KernelMemory,
  kind: ScalarColumn['kind'],
  at: number,
  length: number,
): ScalarColumn => {
  const { buffer } = memory
  const base = { length, validity: null }
  switch (kind) {
    case 'bool':
      return { kind, ...base, values: new Uint8Array(buffer, at, (length + 7) >> 3) }
    case 'int32':
    case 'date':
      return { kind, ...base, values: new Int32Array(buffer, at, length) }
    case 'int64':
    case 'timestamp':
      return { kind, ...base, values: new BigInt64Array(buffer, at, length) }
    case 'float32':
      return { kind, ...base, values: new Float32Array(buffer, at, length) }
    case 'float64':
      return { kind, ...base, values: new Float64Array(buffer, at, length) }
    default:
      assert(false, `values of ${kind} have one width`)
  }
}

/** Bytes behind values that kernels may read. */
const MARGIN = 32

/** Bytes that a copy of dense values takes. */
export const copyBytes = (values: ScalarColumn): number => plainLength(values) + 16 + 2 * MARGIN

/** A copy of dense values at an address. */
export const copyAt = (memory: KernelMemory, values: ScalarColumn, at: number): ScalarColumn => {
  if (!('bytes' in values)) {
    memory.bytes.set(fixedBytes(values), at)
    return columnOver(memory, values.kind, at, values.length)
  }
  const { length } = values
  const first = values.offsets[0] as number
  const last = values.offsets[length] as number
  const offsets = memory.words.subarray(at >> 2, (at >> 2) + length + 1)
  offsets.set(values.offsets.subarray(0, length + 1))
  if (first !== 0) for (let row = 0; row <= length; row += 1) offsets[row] = (offsets[row] as number) - first
  const bytesAt = at + 4 * (length + 1) + 16
  const bytes = memory.bytes.subarray(bytesAt, bytesAt + last - first)
  bytes.set(values.bytes.subarray(first, last))
  return { kind: values.kind, length, validity: null, offsets, bytes }
}
