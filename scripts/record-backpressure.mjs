// Records how the rate follows a sink that becomes ten times slower and recovers, while a producer runs on, and draws
// the plot of docs/decisions/backpressure.md: node scripts/record-backpressure.mjs
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { build, projectFolder } from './set-up.mjs'

build()
const millrace = await import('../dist/index.js')
const { datagen, foreachBatch, json, pipeline, processingTime, schema, start } = millrace

const FAST = 30_000
const SLOW = FAST / 10
const PRODUCED = 15_000
const INTERVAL_MS = 500
const BATCHES = { slowFrom: 25, fastFrom: 60, end: 95 }

let batch = 0
let bears = FAST
const plan = pipeline('slow-sink')
  .from(datagen({ rowsPerSecond: PRODUCED, partitions: 4 }), json(schema({ content_id: 'int32', country: 'string' })))
  .to(
    foreachBatch(async rows => {
      await sleep((rows.length / bears) * 1000)
    }),
  )

const root = mkdtempSync(join(tmpdir(), 'millrace-backpressure-'))
const query = await start(plan, { root, trigger: processingTime(`${INTERVAL_MS}ms`), maxBatches: BATCHES.end })
const recorded = []
query.events.subscribe({
  next: event => {
    if (event.kind !== 'progress') return
    const { batchId, numInputRows, processingDelay, backpressure, sources } = event.progress
    recorded.push({
      batch: batchId,
      bears,
      rows: numInputRows,
      rowsPerSecond: Math.round((numInputRows * 1000) / Math.max(1, processingDelay)),
      limit: backpressure.rowsPerSecond,
      processingMs: processingDelay,
      lag: sources[0].lagRows,
      rssMiB: Math.round(process.memoryUsage.rss() / 1024 ** 2),
    })
    batch += 1
    bears = batch >= BATCHES.slowFrom && batch < BATCHES.fastFrom ? SLOW : FAST
    process.stdout.write(`\rbatch ${batch} of ${BATCHES.end}`)
  },
  error: () => undefined,
})
await query.awaitTermination()
rmSync(root, { recursive: true })

const within = (from, until, capacity) => {
  const ratios = recorded.slice(from, until).map(each => each.limit / capacity)
  return { least: Math.min(...ratios).toFixed(2), most: Math.max(...ratios).toFixed(2) }
}
const slow = within(BATCHES.slowFrom + 10, BATCHES.fastFrom, SLOW)
const again = within(BATCHES.fastFrom + 10, BATCHES.end, FAST)
const maxRss = Math.max(...recorded.map(each => each.rssMiB))
console.log(`\nlimit over capacity, slow sink, from its 10th batch on: ${slow.least} to ${slow.most}`)
console.log(`limit over capacity, from the 10th batch after it recovered: ${again.least} to ${again.most}`)
console.log(`resident memory at most ${maxRss} MiB`)

const folder = join(projectFolder, 'docs', 'decisions')
writeFileSync(
  join(folder, 'backpressure.json'),
  `[\n${recorded.map(each => `  ${JSON.stringify(each)}`).join(',\n')}\n]\n`,
)
writeFileSync(join(folder, 'backpressure.svg'), plot(recorded))

/** Limit and capacity on a logarithmic axis over the batches; lag and memory below. */
function plot(points) {
  const width = 860
  const left = 70
  const x = at => left + (at / (points.length - 1)) * (width - left - 20)
  const panel = ({ top, height, least, most, log, ticks, unit, title, series }) => {
    const scale = value => {
      const share = log
        ? Math.log(Math.max(value, least) / least) / Math.log(most / least)
        : (value - least) / (most - least)
      return top + height - share * height
    }
    const line = ({ of, color, dash }) =>
      `<polyline fill="none" stroke="${color}" stroke-width="1.8"${dash ? ' stroke-dasharray="5 4"' : ''} points="${points.map((point, at) => `${x(at).toFixed(1)},${scale(of(point)).toFixed(1)}`).join(' ')}"/>`
    const grid = ticks.map(
      tick =>
        `<line x1="${left}" x2="${width - 20}" y1="${scale(tick)}" y2="${scale(tick)}" stroke="#ddd"/><text x="${left - 6}" y="${scale(tick) + 4}" text-anchor="end">${tick.toLocaleString('en')}</text>`,
    )
    const legend = series.map(
      ({ name, color }, at) => `<text x="${left + 190 + at * 200}" y="${top - 8}" fill="${color}">${name}</text>`,
    )
    return `<text x="${left}" y="${top - 8}" font-weight="bold">${title}, ${unit}</text>${legend.join('')}${grid.join('')}${series.map(line).join('')}`
  }
  const mostLag = Math.ceil(Math.max(...points.map(point => point.lag)) / 100_000) * 100_000
  const mostRss = Math.ceil(Math.max(...points.map(point => point.rssMiB)) / 100) * 100
  const axis = [0, 10, 20, 30, 40, 50, 60, 70, 80, 90].filter(at => at < points.length)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} 560" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
${panel({
  top: 30,
  height: 230,
  least: 1000,
  most: 100_000,
  log: true,
  ticks: [1000, 3000, 10_000, 30_000, 100_000],
  unit: 'rows/s',
  title: 'Rate',
  series: [
    { name: 'what the sink bears', color: '#888', dash: true, of: point => point.bears },
    { name: 'rate limit', color: '#c2410c', of: point => point.limit },
  ],
})}
${panel({ top: 300, height: 90, least: 0, most: mostLag, ticks: [0, mostLag], unit: 'rows', title: 'Lag', series: [{ name: 'lag', color: '#1d4ed8', of: point => point.lag }] })}
${panel({ top: 430, height: 90, least: 0, most: mostRss, ticks: [0, mostRss], unit: 'MiB', title: 'Resident memory', series: [{ name: 'whole process', color: '#15803d', of: point => point.rssMiB }] })}
${axis.map(at => `<text x="${x(at)}" y="540" text-anchor="middle">${at}</text>`).join('')}<text x="${width / 2}" y="556" text-anchor="middle">micro-batch</text>
</svg>
`
}
