// Records how the rate follows a sink that becomes ten times slower and recovers, while a producer in another process
// writes to a real Kafka all the time, and draws the plot of docs/decisions/backpressure.md: node scripts/record-backpressure.mjs
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { startKafka } from './services/kafka.mjs'
import { build, projectFolder } from './set-up.mjs'

const FAST = 30_000
const SLOW = FAST / 10
const PRODUCED = 15_000
const PARTITIONS = 4
const TOPIC = 'plays'
const INTERVAL_MS = 500
const BATCHES = { slowFrom: 25, fastFrom: 60, end: 95 }

const [, , role, producerBrokers] = process.argv
if (role === 'produce') await produce(clientOf(producerBrokers))

build()
const millrace = await import('../dist/index.js')
const { foreachBatch, json, kafka: kafkaSource, pipeline, processingTime, schema, start } = millrace

const kafka = await startKafka()
const admin = clientOf(kafka.brokers).admin()
await admin.connect()
await admin.createTopics({ waitForLeaders: true, topics: [{ topic: TOPIC, numPartitions: PARTITIONS }] })
await admin.disconnect()
const producer = fork(import.meta.filename, ['produce', kafka.brokers])

let batch = 0
let bears = FAST
const plan = pipeline('slow-sink')
  .from(
    kafkaSource({ topic: TOPIC, startingOffsets: 'earliest' }),
    json(schema({ content_id: 'int32', country: 'string' })),
  )
  .to(
    foreachBatch(async rows => {
      await sleep((rows.length / bears) * 1000)
    }),
  )

const root = mkdtempSync(join(tmpdir(), 'millrace-backpressure-'))
const query = await start(plan, {
  root,
  set: { 'kafka.brokers': kafka.brokers },
  trigger: processingTime(`${INTERVAL_MS}ms`),
  maxBatches: BATCHES.end,
})
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
producer.kill()
await kafka.stop()
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

function clientOf(brokers) {
  return new kafkajs.Kafka({ brokers: [brokers], logLevel: kafkajs.logLevel.NOTHING })
}

/** Writes as many rows as belong to the time that has passed, until this process is killed. */
async function produce(client) {
  const sender = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await sender.connect()
  const startedAt = Date.now()
  for (let row = 0; ; ) {
    const due = Math.min(row + 5000, Math.floor(((Date.now() - startedAt) * PRODUCED) / 1000))
    const messages = []
    for (; row < due; row += 1) {
      const value = JSON.stringify({ content_id: row % 2000, country: 'DE', event_id: `${row}`.padStart(320, '0') })
      messages.push({ partition: row % PARTITIONS, value })
    }
    if (messages.length > 0) await sender.send({ topic: TOPIC, messages })
    await sleep(20)
  }
}

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
