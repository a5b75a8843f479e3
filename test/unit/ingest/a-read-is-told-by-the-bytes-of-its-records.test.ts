import fc from 'fast-check'
import { expect, it } from 'vitest'
import { bytesWithin, findBatches } from '../../../src/ingest/kafka/fetched-batches.ts'
import { writeBatch } from '../../support/kafka-records.ts'

const OF = { topic: 't', partition: 0 }
const RECORD = { key: null, value: Buffer.from('v') }

it('what was fetched counts once, however it is cut into ranges, and not before it is read', () => {
  const counts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(counts, fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 5 }), (sizes, cuts) => {
      const batches: Buffer[] = []
      let end = 0
      for (const size of sizes) {
        batches.push(
          writeBatch(
            Array.from({ length: size }, () => RECORD),
            { baseOffset: end },
          ),
        )
        end += size
      }
      const frame = Buffer.concat(batches)
      const fetched = findBatches(OF, frame, { start: 0, end: frame.length }, [], 0)
      const bounds = [0, ...cuts.map(cut => Math.min(cut, end)).toSorted((a, b) => a - b), end]
      const parts = bounds.slice(1).map((until, at) => bytesWithin(fetched, bounds[at] as number, until))
      expect(parts.reduce((sum, bytes) => sum + bytes, 0)).toBeCloseTo(frame.length, 6)
      expect(bytesWithin(fetched, end, end + 10)).toBe(0)
    }),
  )
})
