// A worker of sim.mjs: runs the seeds that it is given over the compiled code.
import { parentPort } from 'node:worker_threads'
import { typescriptKernels } from '../dist/columnar/typescript/index.js'
import { runSeed } from '../dist/sim/run-seed.js'
import { samplePipelineOf } from '../dist/sim/sample-pipelines.js'

const nextTurn = () => new Promise(resolve => setImmediate(resolve))

const runAll = async ({ from, seeds, traced }) => {
  const outcomes = []
  for (let seed = from; seed < from + seeds; seed += 1) {
    const subject = { versions: samplePipelineOf(seed), kernels: typescriptKernels, makeRow: null, mistake: null }
    const outcome = await runSeed(subject, seed, { nextTurn, traced })
    outcomes.push({ ...outcome, broken: outcome.broken?.message ?? null })
  }
  return outcomes
}

parentPort.on('message', order => {
  if (order === null) parentPort.close()
  else void runAll(order).then(outcomes => parentPort.postMessage(outcomes, []))
})
