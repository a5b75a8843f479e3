import { describe, expect, it } from 'vitest'
import { typescriptKernels } from '../../src/columnar/typescript/index.ts'
import { callsOfTwoBatches, exhaustiveSchedules, runSchedule } from '../../src/sim/exhaustive.ts'
import { NO_FAULTS } from '../../src/sim/fault-mix.ts'
import { runSeed } from '../../src/sim/run-seed.ts'
import { samplePipelineOf } from '../../src/sim/sample-pipelines.ts'
import { nextTurn } from './support/next-turn.ts'

/** In `npm test`; CI runs ten thousand (`npm run sim`). */
const SEEDS = 500

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
    expect(rows).toBeGreaterThan(SEEDS * 25)
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

  it('break no promise whatever call of two batches comes to, before a crash or without one', async () => {
    for (const seed of [1, 2]) {
      const calls = await callsOfTwoBatches(subjectOf(seed), seed, { nextTurn })
      const schedules = [...exhaustiveSchedules(calls)]
      expect(schedules.length).toBeGreaterThan(20_000)
      // all of them run in CI (`npm run sim -- --exhaustive`)
      for (let at = seed; at < schedules.length; at += 211) {
        const outcome = await runSchedule(subjectOf(seed), seed, schedules[at] ?? [], { nextTurn })
        expect(outcome.broken?.message ?? null, `npm run sim -- --exhaustive ${seed} --from ${at} --seeds 1`).toBeNull()
        expect(outcome.batches).toBeGreaterThanOrEqual(2)
      }
    }
  })

  it('tell a driver that slept through retention that it is fenced, not that data is lost', async () => {
    let fenced = 0
    for (let seed = 1; seed <= 40; seed += 1) {
      const outcome = await runSeed(subjectOf(seed), seed, {
        nextTurn,
        traced: true,
        faults: { ...NO_FAULTS, retentionAt: 9000 },
        fateOf: ({ process, name, index }) =>
          process === 1 && name === 'bounds' && index > 40 ? 'pausedBefore' : 'served',
      })
      expect(outcome.broken?.message ?? null, `seed ${seed}`).toBeNull()
      if (outcome.excused === null && outcome.trace.some(line => line.includes('ends: FENCED'))) fenced += 1
    }
    expect(fenced).toBeGreaterThan(0)
  })

  it('do not take the time that somebody sets for the time that passes', async () => {
    const clockJumps = Array.from({ length: 12 }, (_, at) => ({ at: 500 * at, byMs: 86_400_000 }))
    for (let seed = 1; seed <= 30; seed += 1) {
      const faults = { ...NO_FAULTS, laggingLeader: 0.4, clockJumps }
      const outcome = await runSeed(subjectOf(seed), seed, { nextTurn, faults })
      expect(outcome.broken?.message ?? null, `seed ${seed}`).toBeNull()
    }
  })

  it.each(['stage', 'createOnly'])(
    'do not let a driver publish that slept at a %s until its batch was pruned from the logs',
    async sleepsAt => {
      let pruned = 0
      for (const seed of [4, 6, 10, 12]) {
        const sleep = {
          process: 1,
          name: sleepsAt,
          about: sleepsAt === 'stage' ? 'part-000000000001' : 'commits/000000000001',
        }
        const outcome = await runSeed(subjectOf(seed), seed, {
          nextTurn,
          traced: true,
          faults: { ...NO_FAULTS, length: 'long' },
          fateOf: call =>
            call.process === sleep.process && call.name === sleep.name && call.about.includes(sleep.about)
              ? 'pausedBefore'
              : 'served',
        })
        expect(outcome.broken?.message ?? null, `seed ${seed}`).toBeNull()
        const happened = [/stopped/, /remove .*commits\/000000000001/].every(what =>
          outcome.trace.some(line => what.test(line)),
        )
        if (happened) pruned += 1
      }
      expect(pruned).toBeGreaterThan(0)
    },
  )
})
