// A worker of sim.mjs: runs the seeds that it is given over the compiled code.
import { parentPort } from 'node:worker_threads'
import { typescriptKernels } from '../dist/columnar/typescript/index.js'
import { callsOfTwoBatches, exhaustiveSchedules, runSchedule } from '../dist/sim/exhaustive.js'
import { runSeed } from '../dist/sim/run-seed.js'
import { samplePipelineOf } from '../dist/sim/sample-pipelines.js'

const nextTurn = () => new Promise(resolve => setImmediate(resolve))

const subjectOf = seed => ({
  versions: samplePipelineOf(seed),
  kernels: typescriptKernels,
  makeRow: null,
  mistake: null,
})

/** Each takes some of the work that there is and says how it went. */
const WORK = {
  async seeds({ from, count, traced }) {
    const outcomes = []
    for (let seed = from; seed < from + count; seed += 1) {
      outcomes.push({
        ...(await runSeed(subjectOf(seed), seed, { nextTurn, traced })),
        replay: `--from ${seed} --seeds 1`,
      })
    }
    return outcomes
  },

  /** Schedules are numbered from 0; fewer come back where there are no more. */
  async exhaustive({ seed, from, count, traced }) {
    const outcomes = []
    const schedules = await schedulesOf(seed)
    for (let at = from; at < Math.min(from + count, schedules.length); at += 1) {
      const outcome = await runSchedule(subjectOf(seed), seed, schedules[at], { nextTurn, traced })
      outcomes.push({ ...outcome, replay: `--exhaustive ${seed} --from ${at} --seeds 1` })
    }
    return outcomes
  },
}

const known = new Map()
const schedulesOf = async seed => {
  if (!known.has(seed)) {
    const calls = await callsOfTwoBatches(subjectOf(seed), seed, { nextTurn })
    known.set(seed, [...exhaustiveSchedules(calls)])
  }
  return known.get(seed)
}

parentPort.on('message', order => {
  if (order === null) parentPort.close()
  else
    void WORK[order.kind](order).then(outcomes => {
      const plain = outcomes.map(outcome => ({ ...outcome, broken: outcome.broken?.message ?? null }))
      parentPort.postMessage(plain, [])
    })
})
