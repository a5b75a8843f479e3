// npm run sim: the driver in simulated worlds that fail, on all cores.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { build, installPackages, requireNode } from './set-up.mjs'

const USAGE = `Usage: npm run sim -- [--seeds N] [--from S] [--trace] [--json]
       npm run sim -- --exhaustive SEED [--seeds N] [--from S] [--trace] [--json]
  --seeds N           how many worlds; default 1000, with --exhaustive all
  --from S            the first of them; default 1, with --exhaustive 0
  --exhaustive SEED   two batches of this seed, with everything that can go wrong once before a crash or without one
  --trace             what happened, line by line
  --json              one line for machines`

/** Worlds that a worker is given at a time. */
const CHUNK = 25

const fail = () => {
  console.error(USAGE)
  process.exit(2)
}

const read = () => {
  try {
    return parseArgs({
      options: {
        seeds: { type: 'string' },
        from: { type: 'string' },
        exhaustive: { type: 'string' },
        trace: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    }).values
  } catch {
    return fail()
  }
}

const values = read()
const exhaustive = values.exhaustive === undefined ? null : Number(values.exhaustive)
const from = Number(values.from ?? (exhaustive === null ? 1 : 0))
const most = Number(values.seeds ?? (exhaustive === null ? 1000 : Number.MAX_SAFE_INTEGER))
if (![from, most, exhaustive ?? 0].every(Number.isSafeInteger) || most < 1) fail()
requireNode()
installPackages()
build()

const startedAt = performance.now()
const total = { worlds: 0, excused: 0, steps: 0, batches: 0, rows: 0 }
const broken = []
let next = from
let isOver = false

const giveMore = worker => {
  const count = Math.min(CHUNK, from + most - next)
  if (count <= 0 || isOver || broken.length > 0) return worker.postMessage(null, [])
  const kind = exhaustive === null ? 'seeds' : 'exhaustive'
  worker.postMessage({ kind, seed: exhaustive, from: next, count, traced: values.trace }, [])
  next += count
}

const take = (worker, outcomes) => {
  if (outcomes.length === 0) isOver = true
  for (const { broken: why, trace, excused, replay, ...figures } of outcomes) {
    total.worlds += 1
    total.excused += excused === null ? 0 : 1
    for (const name of ['steps', 'batches', 'rows']) total[name] += figures[name]
    if (why !== null) broken.push({ seed: figures.seed, why, replay })
    if (values.trace) console.log(trace.join('\n'))
  }
  if (process.stdout.isTTY && !values.json) process.stdout.write(`\r${total.worlds} worlds`)
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

await Promise.all(Array.from({ length: Math.min(availableParallelism(), Math.ceil(most / CHUNK)) }, runWorker))

const seconds = Number(((performance.now() - startedAt) / 1000).toFixed(1))
if (values.json) console.log(JSON.stringify({ from, exhaustive, ...total, broken, seconds }))
else {
  const { worlds, excused, steps, batches, rows } = total
  const of = exhaustive === null ? `seeds from ${from} on` : `ways for two batches of seed ${exhaustive} to go wrong`
  console.log(
    `\n${worlds} ${of}: ${batches} batches, ${rows} rows, ${steps} steps in ${seconds} s; ${excused} lost data on purpose`,
  )
  for (const { seed, why, replay } of broken.toSorted((a, b) => a.seed - b.seed)) {
    console.log(`\nseed ${seed}: ${why}\n  npm run sim -- ${replay} --trace`)
  }
  console.log(`${worlds - broken.length} passed, ${broken.length} failed`)
}
process.exitCode = broken.length === 0 && total.worlds > 0 ? 0 : 1
