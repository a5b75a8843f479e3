import { describe, expect, it } from 'vitest'
import { typescriptKernels } from '../../src/columnar/typescript/index.ts'
import { NO_FAULTS } from '../../src/sim/fault-mix.ts'
import { runSeed } from '../../src/sim/run-seed.ts'
import { samplePipelineOf } from '../../src/sim/sample-pipelines.ts'
import { nextTurn } from './support/next-turn.ts'

/** In `npm test`; CI runs ten thousand (`npm run sim`). */
const SEEDS = 250

const subjectOf = (seed: number) => ({
  versions: samplePipelineOf(seed),
  kernels: typescriptKernels,
  makeRow: null,
  mistake: null,
})

describe('worlds that fail', () => {
  it(`break no promise in ${SEEDS} seeds`, async () => {
    let rows = 0
    let excused = 0
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const outcome = await runSeed(subjectOf(seed), seed, { nextTurn })
      expect(outcome.broken?.message ?? null, `npm run sim -- --from ${seed} --seeds 1 --trace`).toBeNull()
      rows += outcome.rows
      excused += outcome.excused === null ? 0 : 1
    }
    // a simulator in which nothing happens finds nothing
    expect(rows).toBeGreaterThan(SEEDS * 40)
    expect(excused).toBeLessThan(SEEDS / 4)
  })

  it('are the same for the same seed, to the last line of their trace', async () => {
    const traces = new Set<string>()
    for (let seed = 1; seed <= 20; seed += 1) {
      const [first, second] = [
        await runSeed(subjectOf(seed), seed, { nextTurn, traced: true }),
        await runSeed(subjectOf(seed), seed, { nextTurn, traced: true }),
      ]
      expect(second.trace).toEqual(first.trace)
      expect(first.trace.length).toBeGreaterThan(100)
      traces.add(first.trace.join('\n'))
    }
    expect(traces.size).toBe(20)
  })

  it.each(['stage', 'createOnly'])(
    'do not let a driver publish that slept at a %s until its batch was pruned from the logs',
    async sleepsAt => {
      let pruned = 0
      for (const seed of [4, 5, 6]) {
        const sleep = {
          process: 1,
          name: sleepsAt,
          about: sleepsAt === 'stage' ? 'part-000000000001' : 'commits/000000000001',
        }
        const outcome = await runSeed(subjectOf(seed), seed, {
          nextTurn,
          faults: { ...NO_FAULTS, long: true },
          fateOf: call =>
            call.process === sleep.process && call.name === sleep.name && call.about.includes(sleep.about)
              ? 'pausedBefore'
              : 'served',
        })
        expect(outcome.broken?.message ?? null, `seed ${seed}`).toBeNull()
        if (outcome.batches > 150) pruned += 1
      }
      expect(pruned).toBeGreaterThan(0)
    },
  )
})
