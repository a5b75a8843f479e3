import { describe, expect, it } from 'vitest'
import { typescriptKernels } from '../../src/columnar/typescript/index.ts'
import { runSeed } from '../../src/sim/run-seed.ts'
import { samplePipelineOf } from '../../src/sim/sample-pipelines.ts'
import type { Mistake } from '../../src/sim/subject.ts'
import { MISTAKES } from './support/mistakes.ts'
import { nextTurn } from './support/next-turn.ts'

const WITHIN_SEEDS = 1000

const firstSeedThatFinds = async (mistake: Mistake) => {
  for (let seed = 1; seed <= WITHIN_SEEDS; seed += 1) {
    const subject = { versions: samplePipelineOf(seed), kernels: typescriptKernels, makeRow: null, mistake }
    const { broken } = await runSeed(subject, seed, { nextTurn })
    if (broken !== null) return { seed, broken }
  }
  return null
}

describe('the simulator finds planted mistakes', () => {
  it('there are at least twelve', () => expect(Object.keys(MISTAKES).length).toBeGreaterThanOrEqual(12))

  it.each(Object.entries(MISTAKES))(`a driver that %s, within ${WITHIN_SEEDS} seeds`, async (_, mistake) => {
    const found = await firstSeedThatFinds(mistake)
    expect(found?.broken.code).toBe('PROMISE_BROKEN')
  })
})
