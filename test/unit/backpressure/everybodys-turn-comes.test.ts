import fc from 'fast-check'
import { expect, test } from 'vitest'
import { turnOf } from '../../../src/backpressure/turns.ts'
import { batchId } from '../../../src/base/units.ts'

/** Everybody's place, those first whose turn comes first. */
const orderOf = (count: number, batch: number): readonly number[] =>
  Array.from({ length: count }, (_, place) => ({ place, turn: turnOf(place, count, batchId(batch)) }))
    .toSorted((a, b) => a.turn - b.turn)
    .map(({ place }) => place)

test('a turn belongs to one place alone', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(), (count, batch) => {
      const turns = Array.from({ length: count }, (_, place) => turnOf(place, count, batchId(batch)))
      expect(new Set(turns).size).toBe(count)
    }),
  )
})

test('where one of 2, 4, 8 … is served in each batch, all are in every 2, 4, 8 … batches', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 0, max: 7 }), fc.nat(), (count, power, start) => {
      const round = 2 ** power
      const served = Array.from({ length: round }, (_, at) =>
        orderOf(count, start + at).slice(0, Math.ceil(count / round)),
      )
      expect(new Set(served.flat()).size).toBe(count)
    }),
  )
})

test('all are served in a round, however many are in each of its batches', () => {
  const manyOrFew = fc.array(fc.integer({ min: 1, max: 256 }), { minLength: 256, maxLength: 256 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 256 }), manyOrFew, fc.nat(), (count, served, start) => {
      const seen = served.flatMap((many, at) => orderOf(count, start + at).slice(0, many))
      expect(new Set(seen).size).toBe(count)
    }),
    { numRuns: 20 },
  )
})
