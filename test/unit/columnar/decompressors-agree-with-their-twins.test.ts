import fc from 'fast-check'
import { compressSync } from 'snappy'
import { describe, expect, it } from 'vitest'
import type { Kernels } from '../../../src/columnar/kernels.ts'
import { typescriptKernels } from '../../../src/columnar/typescript/index.ts'
import { wasmKernels } from '../../../src/columnar/wasm/index.ts'
import { CODECS } from '../../../src/ingest/kafka/codecs.ts'
import { lz4Frame } from '../../support/lz4-frames.ts'
import { testedWasmKernels } from '../../support/wasm-kernels.ts'

const SNAPPY = 2
const LZ4 = 3
const LIMIT = 300_000

const decompress = (kernels: Kernels, codec: number, source: Buffer, limit = LIMIT) => {
  const workspace = kernels.recordWorkspace(64)
  const before = Buffer.from('what was there before')
  workspace.arena.append(before)
  const outcome = CODECS[codec]?.(source, 0, source.length, workspace, limit)
  const { bytes, length } = workspace.arena
  expect(Buffer.from(bytes.subarray(0, before.length)).equals(before)).toBe(true)
  return { outcome, bytes: Buffer.from(bytes.subarray(before.length, length)) }
}

/** Text that compresses: words over and over, at all distances and lengths. */
const content = fc
  .array(fc.tuple(fc.string({ minLength: 1, maxLength: 30, unit: 'binary' }), fc.integer({ min: 1, max: 400 })), {
    maxLength: 12,
  })
  .map(parts => Buffer.from(parts.map(([word, times]) => word.repeat(times)).join('')).subarray(0, 200_000))

const COMPRESSORS = [
  ['snappy', SNAPPY, (bytes: Buffer) => compressSync(bytes)],
  ['lz4', LZ4, (bytes: Buffer) => lz4Frame(bytes)],
] as const

describe.each(COMPRESSORS)('%s', (_, codec, compress) => {
  it('gives back what was compressed', () => {
    fc.assert(
      fc.property(content, bytes => {
        const compressed = compress(bytes)
        for (const kernels of [typescriptKernels, testedWasmKernels()]) {
          const { outcome, bytes: back } = decompress(kernels, codec, compressed)
          expect(outcome).toBe('done')
          expect(back.equals(bytes)).toBe(true)
        }
      }),
    )
  })

  it('is judged alike, cut off or with bits flipped, and is never more than the limit', () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.nat(7)), { maxLength: 3 })
    fc.assert(
      fc.property(content, flips, fc.nat(), fc.constantFrom(LIMIT, 1000, 30), (bytes, flipped, cut, limit) => {
        const compressed = Buffer.from(compress(bytes))
        for (const [at, bit] of flipped) compressed[at % compressed.length]! ^= 1 << bit
        const source = cut % 3 === 0 ? compressed.subarray(0, cut % (compressed.length + 1)) : compressed
        const [reference, other] = [typescriptKernels, testedWasmKernels()].map(kernels =>
          decompress(kernels, codec, source, limit),
        )
        expect(other?.outcome).toBe(reference?.outcome)
        expect(other?.bytes.length).toBeLessThanOrEqual(limit)
        if (reference?.outcome === 'done') expect(other?.bytes.equals(reference.bytes)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  it('finds its way outside of a memory that is too small', () => {
    const bytes = Buffer.from('all work and no play '.repeat(400_000))
    const kernels = wasmKernels(1024 * 1024)
    const { outcome, bytes: back } = decompress(kernels, codec, compress(bytes), bytes.length)
    expect(outcome).toBe('done')
    expect(back.equals(bytes)).toBe(true)
    const small = bytes.subarray(0, 2100)
    expect(decompress(kernels, codec, compress(small)).bytes.equals(small)).toBe(true)
  })
})
