// npm run sim -- --seeds N [--from S] [--trace] [--json]: the driver in N simulated worlds that fail, on all cores.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { build } from './set-up.mjs'

/** Seeds that a worker is given at a time. */
const CHUNK = 25

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})
const seeds = Number(values.seeds)
const from = Number(values.from)
if (!Number.isSafeInteger(seeds) || !Number.isSafeInteger(from) || seeds < 1) {
  console.error('Usage: npm run sim -- --seeds 1000 [--from 1] [--trace] [--json]')
  process.exit(2)
}
build()

const startedAt = performance.now()
const total = { seeds: 0, excused: 0, steps: 0, batches: 0, rows: 0 }
const broken = []
let next = from

const giveMore = worker => {
  const count = Math.min(CHUNK, from + seeds - next)
  if (count <= 0 || broken.length > 0) return worker.postMessage(null, [])
  worker.postMessage({ from: next, seeds: count, traced: values.trace }, [])
  next += count
}

const take = (worker, outcomes) => {
  for (const { broken: why, trace, excused, ...figures } of outcomes) {
    total.seeds += 1
    total.excused += excused === null ? 0 : 1
    for (const name of ['steps', 'batches', 'rows']) total[name] += figures[name]
    if (why !== null) broken.push({ seed: figures.seed, why })
    if (values.trace) console.log(trace.join('\n'))
  }
  if (process.stdout.isTTY && !values.json) process.stdout.write(`\r${total.seeds} of ${seeds} seeds`)
  giveMore(worker)
}

const runWorker = () =>
  new Promise((resolve, reject) => {
    // young rows die young: a larger nursery spares copying them
    const worker = new Worker(new URL('./sim-worker.mjs', import.meta.url), {
      resourceLimits: { maxYoungGenerationSizeMb: 64 },
    })
    worker.on('message', outcomes => take(worker, outcomes))
    worker.on('error', reject)
    worker.on('exit', resolve)
    giveMore(worker)
  })

await Promise.all(Array.from({ length: Math.min(availableParallelism(), Math.ceil(seeds / CHUNK)) }, runWorker))

const seconds = Number(((performance.now() - startedAt) / 1000).toFixed(1))
const { seeds: ran, excused, steps, batches, rows } = total
if (values.json) console.log(JSON.stringify({ from, ...total, broken, seconds }))
else {
  const done = `${ran} seeds from ${from}: ${batches} batches, ${rows} rows, ${steps} steps in ${seconds} s`
  console.log(`\n${done}; ${excused} lost data on purpose`)
  for (const { seed, why } of broken.toSorted((a, b) => a.seed - b.seed)) {
    console.log(`\nseed ${seed}: ${why}\n  npm run sim -- --from ${seed} --seeds 1 --trace`)
  }
  console.log(`${ran - broken.length} passed, ${broken.length} failed`)
}
process.exitCode = broken.length === 0 ? 0 : 1
