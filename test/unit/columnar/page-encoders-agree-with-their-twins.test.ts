import fc from 'fast-check'
import { uncompressSync } from 'snappy'
import { describe, expect, it } from 'vitest'
import type { ScalarColumn } from '../../../src/columnar/column.ts'
import { columnBuilder } from '../../../src/columnar/column-builder.ts'
import type { PageEncoder } from '../../../src/columnar/page-encoder.ts'
import type { ScalarType } from '../../../src/columnar/schema.ts'
import { typescriptKernels } from '../../../src/columnar/typescript/index.ts'
import { snappyCompress } from '../../../src/columnar/typescript/snappy-compress.ts'
import type { DictionaryKind } from '../../../src/columnar/value-dictionary.ts'
import { testedWasmKernels } from '../../support/wasm-kernels.ts'

const twin = typescriptKernels.pageEncoder()
const encoder = testedWasmKernels().pageEncoder()

const few = <T>(values: fc.Arbitrary<T>) =>
  fc
    .array(values, { minLength: 1, maxLength: 30 })
    .chain(some => fc.array(fc.constantFrom(...some), { maxLength: 300 }))
const text = fc.oneof(
  fc.string({ maxLength: 40, unit: 'grapheme' }),
  fc.string({ minLength: 1, maxLength: 8 }).map(word => word.repeat(200)),
  // texts that differ in their last bytes only
  fc.nat(99).map(number => `one and the same beginning of all ${number}`),
)
const VALUES: Readonly<Record<ScalarType, fc.Arbitrary<unknown>>> = {
  bool: fc.boolean(),
  int32: fc.integer(),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  float32: fc.float(),
  float64: fc.oneof(fc.double(), fc.constantFrom(-0, 0, Number.NaN)),
  string: text,
  bytes: fc.uint8Array({ maxLength: 60 }),
  timestamp: fc.integer({ min: -9_000_000_000_000, max: 250_000_000_000_000 }),
  date: fc.integer({ min: -700_000, max: 2_900_000 }),
  json: text,
}
const TYPES = Object.keys(VALUES) as readonly ScalarType[]

const columnOf = (type: ScalarType, values: readonly unknown[]): ScalarColumn => {
  const builder = columnBuilder({ name: 'a', type, nullable: false })
  for (const value of values) builder.append(value)
  return builder.finish() as ScalarColumn
}
const column = (type: ScalarType) => few(VALUES[type]).map(values => columnOf(type, values))
const levels = fc.uint8Array({ maxLength: 20 })

const page = ({ bytes, plainBytes }: ReturnType<PageEncoder['plainPage']>) => {
  const plain = Buffer.from(uncompressSync(Buffer.from(bytes)) as Buffer)
  expect(plain.length).toBe(plainBytes)
  // strings are compared faster than buffers
  return { bytes: Buffer.from(bytes).toString('latin1'), plain: plain.toString('latin1') }
}

describe.each(TYPES)('a page of %s', type => {
  it('has the same bytes, the same extremes and the same numbers', () => {
    fc.assert(
      fc.property(column(type), levels, (values, before) => {
        const brought = encoder.bring(values)
        expect(encoder.extremes(brought)).toEqual(twin.extremes(values))
        expect(page(encoder.plainPage(before, brought))).toEqual(page(twin.plainPage(before, values)))
        if (type === 'bool') return
        const [ours, theirs] = [encoder, twin].map(each => each.dictionary(type as DictionaryKind, 100_000))
        const numbers = ours?.numbersOf(brought) ?? new Int32Array()
        const expected = theirs?.numbersOf(values) ?? new Int32Array()
        expect([...numbers]).toEqual([...expected])
        const size = theirs?.size ?? 0
        expect(ours?.size).toBe(size)
        expect(ours?.byteSize).toBe(theirs?.byteSize)
        expect(page(encoder.indexPage(before, numbers, size))).toEqual(page(twin.indexPage(before, expected, size)))
        const [own, other] = [ours?.values(), theirs?.values()]
        if (own !== undefined && other !== undefined) {
          expect(page(encoder.plainPage(before, own))).toEqual(page(twin.plainPage(before, other)))
        }
        ours?.free()
      }),
      { numRuns: 60 },
    )
  })
})

describe('a dictionary', () => {
  it('keeps what it had where it would become too large, at the same value as its twin', () => {
    fc.assert(
      fc.property(
        fc.array(column('string'), { maxLength: 5 }),
        fc.integer({ min: 20, max: 3000 }),
        (pages, maxBytes) => {
          const [ours, theirs] = [encoder, twin].map(each => each.dictionary('string', maxBytes))
          for (const values of pages) {
            const [numbers, expected] = [ours?.numbersOf(encoder.bring(values)), theirs?.numbersOf(values)]
            expect(numbers === null ? null : [...(numbers ?? [])]).toEqual(
              expected === null ? null : [...(expected ?? [])],
            )
            expect([ours?.size, ours?.byteSize]).toEqual([theirs?.size, theirs?.byteSize])
            if (numbers === null) break
          }
          ours?.free()
        },
      ),
    )
  })

  it('grows to tens of thousands of values', () => {
    const values = columnOf(
      'string',
      Array.from({ length: 60_000 }, (_, row) => `value ${(row * 7919) % 40_009}`),
    )
    const ours = encoder.dictionary('string', 10_000_000)
    const theirs = twin.dictionary('string', 10_000_000)
    const numbers = ours.numbersOf(encoder.bring(values)) ?? new Int32Array()
    expect([...numbers].join()).toBe([...(theirs.numbersOf(values) ?? [])].join())
    expect(ours.size).toBe(40_009)
    ours.free()
  })
})

describe('snappy', () => {
  const words = fc
    .array(fc.tuple(fc.string({ minLength: 1, maxLength: 90, unit: 'binary' }), fc.integer({ min: 1, max: 300 })), {
      maxLength: 12,
    })
    .map(parts => Buffer.from(parts.map(([word, times]) => word.repeat(times)).join('')))
  /** Rows of one shape, in which a few bytes differ: what the search by the last distance is for. */
  const rows = fc
    .tuple(fc.string({ minLength: 3, maxLength: 90 }), fc.array(fc.nat(0xffff_ffff), { maxLength: 400 }))
    .map(([shape, values]) => Buffer.from(values.map(value => `${shape}${value.toString(16)}`).join('')))
  const far = fc
    .tuple(fc.uint8Array({ minLength: 30, maxLength: 60 }), fc.integer({ min: 65_400, max: 65_700 }))
    .map(([bytes, distance]) =>
      Buffer.concat([bytes, Buffer.alloc(distance - bytes.length, 1), bytes, Buffer.alloc(60)]),
    )

  it('gives back what was compressed', () => {
    fc.assert(
      fc.property(fc.oneof(words, rows, far), bytes => {
        expect((uncompressSync(Buffer.from(snappyCompress(bytes))) as Buffer).equals(bytes)).toBe(true)
        const blob = columnOf('bytes', [bytes])
        expect(page(encoder.plainPage(new Uint8Array(0), encoder.bring(blob)))).toEqual(
          page(twin.plainPage(new Uint8Array(0), blob)),
        )
      }),
      { numRuns: 100 },
    )
  })

  it('makes rows of one shape half as long', () => {
    const text = Array.from(
      { length: 2000 },
      (_, row) => `{"metric_a":"${((row * 2654435761) % 2 ** 32).toString(16)}"}`,
    )
    const bytes = Buffer.from(text.join(''))
    expect(snappyCompress(bytes).length).toBeLessThan(bytes.length * 0.65)
  })
})
