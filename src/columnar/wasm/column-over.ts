import { assert } from '../../base/assert.ts'
import type { ScalarColumn } from '../column.ts'
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
