import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeOne, fieldsOf } from './fixtures/json-records.ts'

const int64 = fieldsOf({ n: 'int64' })
const int32 = fieldsOf({ n: 'int32' })
const MAX = 2n ** 63n - 1n

const read = (fields: typeof int64, literal: string): unknown => decodeOne(fields, `{"n":${literal}}`)[0]

describe('int64 from JSON', () => {
  it('is exact over its whole range', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -MAX - 1n, max: MAX }), value => {
        expect(read(int64, String(value))).toBe(value)
      }),
      { numRuns: 3000 },
    )
  })

  it.each([
    0n,
    1n,
    -1n,
    2n ** 53n - 1n,
    2n ** 53n,
    2n ** 53n + 1n,
    -(2n ** 53n) - 1n,
    MAX,
    -MAX - 1n,
    2n ** 32n,
    -(2n ** 32n),
  ])('holds %s', value => expect(read(int64, String(value))).toBe(value))

  it('rejects what does not fit', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: MAX + 1n, max: 2n ** 80n }), value => {
        expect(read(int64, String(value))).toBe('outOfRange')
        expect(read(int64, String(-value - 1n))).toBe('outOfRange')
      }),
    )
  })

  it('takes whole numbers with a fraction or an exponent, to the last digit', () => {
    const digits = fc.bigInt({ min: -MAX - 1n, max: MAX })
    fc.assert(
      fc.property(digits, fc.nat({ max: 18 }), fc.nat({ max: 3 }), (value, shift, zeros) => {
        const sign = value < 0n ? '-' : ''
        const plain = String(value < 0n ? -value : value).padStart(shift + 1, '0')
        const point = plain.length - shift
        const literal = `${sign}${plain.slice(0, point)}.${plain.slice(point)}${'0'.repeat(zeros + 1)}e${shift}`
        expect(read(int64, literal)).toBe(value)
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    ['1.0', 1n],
    ['1e3', 1000n],
    ['-1.5E+1', -15n],
    ['1200e-2', 12n],
    ['0.0e-999999999999', 0n],
    ['-0', 0n],
    ['9223372036854775807.000', MAX],
    ['0.000000000000000000000012e24', 12n],
  ])('reads %s', (literal, value) => expect(read(int64, literal)).toBe(value))

  it.each([
    ['1.5', 'wrongType'],
    ['1e-1', 'wrongType'],
    ['9223372036854775807.5', 'wrongType'],
    ['1e19', 'outOfRange'],
    ['1e999999999999', 'outOfRange'],
    ['9223372036854775808', 'outOfRange'],
    ['01', 'invalidJson'],
    ['-', 'invalidJson'],
    ['1.', 'invalidJson'],
    ['1e', 'invalidJson'],
    ['"1"', 'wrongType'],
    ['true', 'wrongType'],
  ])('does not read %s: %s', (literal, reason) => expect(read(int64, literal)).toBe(reason))
})

describe('int32 from JSON', () => {
  it('holds its range and nothing else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.bigInt({ min: -MAX, max: MAX })), value => {
        const fits = BigInt(value) === BigInt.asIntN(32, BigInt(value))
        expect(read(int32, String(value))).toBe(fits ? Number(value) : 'outOfRange')
      }),
    )
  })
})

describe('floats from JSON', () => {
  it('are the nearest float64, and for float32 the nearest to that', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), value => {
        const json = `{"n":${JSON.stringify(value)}}`
        const nearest = Number(JSON.stringify(value))
        expect(decodeOne(fieldsOf({ n: 'float64' }), json)).toEqual([nearest])
        expect(decodeOne(fieldsOf({ n: 'float32' }), json)).toEqual([Math.fround(nearest)])
      }),
      { numRuns: 3000 },
    )
  })

  it('are the nearest float64 also where the text lies next to the middle between two of them', () => {
    const field = fieldsOf({ n: 'float64' })
    const even = fc.tuple(fc.bigInt({ min: 2n ** 53n, max: 2n ** 54n - 1n }), fc.integer({ min: 0, max: 9 }))
    const near = fc.tuple(even, fc.integer({ min: -1, max: 1 }), fc.integer({ min: -30, max: 30 }))
    fc.assert(
      fc.property(near, ([[mantissa, doublings], nudge, exponent]) => {
        const middle = (mantissa << BigInt(doublings)) | (doublings === 0 ? 1n : 1n << BigInt(doublings - 1))
        for (const literal of [`${middle + BigInt(nudge)}`, `${middle + BigInt(nudge)}e${exponent}`]) {
          expect(read(field, literal)).toBe(Number(literal))
        }
      }),
      { numRuns: 5000 },
    )
  })

  it('are the nearest float64 for up to 20 digits of any double', () => {
    const digits = fc.integer({ min: 15, max: 20 })
    const value = fc.tuple(fc.double({ min: 1, max: 10, noNaN: true }), fc.integer({ min: -25, max: 25 }))
    fc.assert(
      fc.property(value, digits, ([mantissa, exponent], precision) => {
        const literal = Number(`${mantissa}e${exponent}`).toPrecision(precision)
        expect(read(fieldsOf({ n: 'float64' }), literal)).toBe(Number(literal))
      }),
      { numRuns: 5000 },
    )
  })

  it('overflow to infinity as in JSON.parse', () => {
    expect(read(fieldsOf({ n: 'float64' }), '-1e400')).toBe(Number.NEGATIVE_INFINITY)
  })
})
