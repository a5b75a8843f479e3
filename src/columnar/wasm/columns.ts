import { assertNever } from '../../base/assert.ts'
import type { Column, ScalarColumn } from '../column.ts'
import { LEAF, type LeafLayout } from './json-layout.ts'
import type { KernelMemory } from './kernel-memory.ts'

/** A column of `rows` rows as the kernel has left it in its memory; `word` is the leaf's first word there. */
export const leafColumn = (memory: KernelMemory, leaf: LeafLayout, word: number, rows: number): Column => {
  const at = (name: keyof typeof LEAF): number => memory.words[word + LEAF[name]] as number
  const hasNulls = at('nulls') > 0
  if (!leaf.isList) return scalarColumn(memory, leaf, at, rows, hasNulls ? bitsAt(memory, at('validity'), rows) : null)
  const offsets = offsetsAt(memory, at('listOffsets'), rows)
  const elements = offsets[rows] as number
  const childValidity = bitsAt(memory, at('validity'), elements)
  const child = scalarColumn(memory, leaf, at, elements, allOnes(childValidity, elements) ? null : childValidity)
  const validity = hasNulls ? bitsAt(memory, at('listValidity'), rows) : null
  return { kind: 'list', length: rows, validity, offsets, child }
}

const scalarColumn = (
  memory: KernelMemory,
  { type }: LeafLayout,
  at: (name: keyof typeof LEAF) => number,
  length: number,
  validity: Uint8Array | null,
): ScalarColumn => {
  const { buffer } = memory.memory
  const from = at('values')
  switch (type) {
    case 'bool':
      return { kind: type, length, validity, values: bitsAt(memory, from, length) }
    case 'int32':
    case 'date':
      return { kind: type, length, validity, values: new Int32Array(buffer, from, length) }
    case 'int64':
    case 'timestamp':
      return { kind: type, length, validity, values: new BigInt64Array(buffer, from, length) }
    case 'float32':
      return { kind: type, length, validity, values: new Float32Array(buffer, from, length) }
    case 'float64':
      return { kind: type, length, validity, values: new Float64Array(buffer, from, length) }
    case 'string':
    case 'json':
    case 'bytes': {
      const offsets = offsetsAt(memory, at('offsets'), length)
      return {
        kind: type,
        length,
        validity,
        offsets,
        bytes: memory.bytes.subarray(from, from + (offsets[length] as number)),
      }
    }
    default:
      return assertNever(type)
  }
}

const offsetsAt = (memory: KernelMemory, from: number, length: number): Int32Array =>
  memory.words.subarray(from >> 2, (from >> 2) + length + 1)

/** Bits beyond the last one are cleared: they may be left over from rows that were given up. */
const bitsAt = (memory: KernelMemory, from: number, length: number): Uint8Array => {
  const bits = memory.bytes.subarray(from, from + ((length + 7) >> 3))
  if ((length & 7) !== 0) bits[length >> 3] = (bits[length >> 3] as number) & ((1 << (length & 7)) - 1)
  return bits
}

const allOnes = (bits: Uint8Array, length: number): boolean => {
  const whole = length >> 3
  for (let at = 0; at < whole; at++) if (bits[at] !== 0xff) return false
  return (length & 7) === 0 || bits[whole] === (1 << (length & 7)) - 1
}
