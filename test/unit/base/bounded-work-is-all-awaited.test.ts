import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mapBounded } from '../../../src/base/map-bounded.ts'

const turn = () => new Promise<void>(resolve => setImmediate(resolve))

describe('bounded work is all awaited', () => {
  it('answers in order with at most so many at a time', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 6 }),
        async (turns, limit) => {
          let running = 0
          let most = 0
          const answers = await mapBounded(turns, limit, async (count, index) => {
            most = Math.max(most, ++running)
            for (let i = 0; i < count; i++) await turn()
            running--
            return index
          })
          expect(answers).toEqual([...turns.keys()])
          expect(most).toBe(Math.min(limit, turns.length))
        },
      ),
      { numRuns: 30 },
    )
  })

  it('starts nothing after a failure, awaits what runs, and throws the first error', async () => {
    const finished: number[] = []
    const work = mapBounded([0, 1, 2, 3, 4, 5], 3, async item => {
      if (item === 1) throw new Error('first')
      await turn()
      await turn()
      finished.push(item)
      if (item === 2) throw new Error('second')
    })
    await expect(work).rejects.toThrow('first')
    expect(finished).toEqual([0, 2])
  })
})
