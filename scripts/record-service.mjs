// Records twenty minutes of a watched service and draws the plot of docs/monitoring.md: node scripts/record-service.mjs [minutes]
// Kafka, an S3-compatible store, Redis and Prometheus are real; the daemon runs under a supervisor and is killed three times.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { DuckDBInstance } from '@duckdb/node-api'
import { Kafka, logLevel } from 'kafkajs'
import { PANELS } from './dashboard.mjs'
import { linePlot } from './line-plot.mjs'
import { startKafka } from './services/kafka.mjs'
import { freePort } from './services/processes.mjs'
import { startPrometheus } from './services/prometheus.mjs'
import { startRedis } from './services/redis.mjs'
import { startS3 } from './services/s3.mjs'
import { supervise } from './services/supervisor.mjs'
import { build, projectFolder } from './set-up.mjs'

const MINUTES = Number(process.argv[2] ?? 20)
const SECONDS = MINUTES * 60
const PARTITIONS = 4
const SCRAPE_SECONDS = 2
/** What the daemon may read: less than a burst brings, so that backpressure shows. */
const MAX_RATE = 12_000
/** When it is killed, as shares of the whole; the second one falls into a burst. */
const KILLS = [0.225, 0.51, 0.775]
const CAUGHT_UP_SECONDS = 5

/** Rows per second that the producer sends: a wave of five minutes, and bursts of twenty seconds every four minutes. */
const producedRate = at =>
  at % 240 >= 120 && at % 240 < 140 ? 20_000 : 3_000 + 2_000 * Math.sin((2 * Math.PI * at) / 300)

const COUNTRIES = ['US', 'DE', 'BR', 'IN', 'JP', 'FR', 'GB', 'NG']

/** One record of 2,000 is no JSON, one of 500 comes ten minutes late: both must show. */
const eventOf = number => {
  if (number % 2_000 === 1_999) return 'no json'
  const late = number % 500 === 499 ? 600_000 : 0
  return JSON.stringify({
    event_id: `e${number}`,
    event_type: number % 3 === 0 ? 'pause' : 'play',
    event_time: Date.now() - late,
    content_id: (number * 7919) % 1_000,
    country: COUNTRIES[(number * 31) % COUNTRIES.length],
    watch_duration: (number % 3_600) / 2,
    'device.type': 'tv',
  })
}

/** So many messages go in one request; what a busy machine can't send in its time is not made up for. */
const MOST_AT_ONCE = 4_000

const produce = async (brokers, topic, startedAt) => {
  const producer = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).producer({ idempotent: true })
  await producer.connect()
  /** Seconds since the start, and how many rows were sent by then. */
  const sent = [[0, 0]]
  const total = () => sent.at(-1)[1]
  let due = 0
  for (let at = 0; at < SECONDS; at = (Date.now() - startedAt) / 1000) {
    due = Math.min(MOST_AT_ONCE, due + producedRate(at) * (at - sent.at(-1)[0]))
    const messages = Array.from({ length: Math.floor(due) }, (_, index) => ({
      partition: (total() + index) % PARTITIONS,
      value: eventOf(total() + index),
    }))
    due -= messages.length
    if (messages.length > 0) await producer.send({ topic, acks: -1, messages })
    sent.push([at, total() + messages.length])
    await sleep(100)
  }
  await producer.disconnect()
  return sent
}

/** Rows per second that were sent, over steps of `step` seconds. */
const sentRate = (sent, step) => {
  const points = [sent[0]]
  for (const point of sent) if (point[0] - points.at(-1)[0] >= step) points.push(point)
  return points.slice(1).map(([at, rows], index) => [at, (rows - points[index][1]) / (at - points[index][0])])
}

const createTopic = async (brokers, topic) => {
  const admin = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: PARTITIONS }] })
  await admin.disconnect()
}

/** Counts the landed rows as any reader would who lists the table: all, and how many offsets they are. */
const landedRows = async (s3, folder) => {
  const { endpoint, region, accessKeyId, secretAccessKey } = s3
  const credentials = { accessKeyId, secretAccessKey }
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true })
  let files = 0
  let token
  do {
    const page = await client.send(
      new ListObjectsV2Command({ Bucket: 'millrace', Prefix: 'raw/plays/', ContinuationToken: token }),
    )
    for (const { Key } of page.Contents ?? []) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: 'millrace', Key }))
      writeFileSync(join(folder, `${files++}.parquet`), await Body.transformToByteArray())
    }
    token = page.NextContinuationToken
  } while (token !== undefined)
  client.destroy()
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  const counted = await connection.runAndReadAll(
    `SELECT count(*)::DOUBLE AS rows, count(DISTINCT (partition, "offset"))::DOUBLE AS offsets FROM read_parquet('${folder}/*.parquet')`,
  )
  return { files, ...counted.getRowObjectsJS()[0] }
}

build()
const started = { kafka: await startKafka(), s3: await startS3(), redis: await startRedis() }
const folder = mkdtempSync(join(tmpdir(), 'millrace-recording-'))
await createTopic(started.kafka.brokers, 'plays')
const port = await freePort()
const rules = [join(projectFolder, 'deploy', 'prometheus', 'millrace.rules.yml')]
const prometheus = await startPrometheus({ targets: [`127.0.0.1:${port}`], rules, intervalSeconds: SCRAPE_SECONDS })
const daemon = supervise({
  args: ['run', join(projectFolder, 'examples', 'live-plays.ts'), '--trigger', '1s', '--listen', String(port)],
  env: {
    MILLRACE_ROOT: 's3://millrace',
    MILLRACE_S3_ENDPOINT: started.s3.endpoint,
    MILLRACE_S3_REGION: started.s3.region,
    AWS_ACCESS_KEY_ID: started.s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: started.s3.secretAccessKey,
    MILLRACE_REDIS_URL: started.redis.url,
    MILLRACE_KAFKA_BROKERS: started.kafka.brokers,
    MILLRACE_BACKPRESSURE_MAX_RATE: String(MAX_RATE),
  },
  log: join(folder, 'daemon.log'),
})
console.log(
  `recording ${MINUTES} minutes; watch http://127.0.0.1:${port} and ${prometheus.url}; log ${folder}/daemon.log`,
)

const startedAt = Date.now()
const kills = []
const killing = (async () => {
  for (const share of KILLS) {
    await sleep(Math.max(0, startedAt + share * SECONDS * 1000 - Date.now()))
    daemon.kill()
    kills.push((Date.now() - startedAt) / 1000)
    console.log(`${kills.at(-1).toFixed(0)} s: kill -9`)
  }
})()
const [sentOverTime] = await Promise.all([produce(started.kafka.brokers, 'plays', startedAt), killing])
const sent = sentOverTime.at(-1)[1]

const lagNow = async () => Number((await prometheus.query('sum(millrace_lag_rows)'))[0]?.value[1] ?? Number.NaN)
const recoveringSince = Date.now()
while ((await lagNow()) !== 0) {
  if (Date.now() - recoveringSince > 120_000) throw new Error(`the lag did not recover: ${await lagNow()} rows wait`)
  await sleep(500)
}
await sleep(2 * SCRAPE_SECONDS * 1000)
const endedAt = Date.now()

const range = async expression => {
  const asked = expression.replaceAll('$pipeline', '.*').replaceAll('$__rate_interval', '20s')
  const series = await prometheus.queryRange(asked, startedAt / 1000, endedAt / 1000, SCRAPE_SECONDS)
  return series.map(({ values }) =>
    values
      .map(([time, value]) => [time - startedAt / 1000, Number(value)])
      .filter(([, value]) => Number.isFinite(value)),
  )
}
const panels = []
for (const { title, queries } of PANELS) {
  for (const [expression] of queries) {
    const points = (await range(expression)).reduce((sum, series) => sum + series.length, 0)
    panels.push({ title, expression, points })
  }
}
const empty = panels.filter(({ points }) => points === 0)
const line = async (name, expression) => ({ name, points: (await range(expression))[0] ?? [] })
const lagAge = await line('oldest row', 'pipeline:millrace_lag_seconds:max')
const recoveries = kills.map(at => {
  // a rule may still give the value from before the kill: what counts comes after the gap
  const isBack = ([time], index) => time > at && time - (lagAge.points[index - 1]?.[0] ?? time) > 1.5 * SCRAPE_SECONDS
  const back = lagAge.points.find(isBack)
  const caughtUp = lagAge.points.find(([time, age]) => back && time >= back[0] && age < CAUGHT_UP_SECONDS)
  return { killedAt: Math.round(at), answersAfter: back && back[0] - at, caughtUpAfter: caughtUp && caughtUp[0] - at }
})
const alerts = await prometheus.queryRange(
  'count by (alertname) (ALERTS{alertstate="firing"})',
  startedAt / 1000,
  endedAt / 1000,
  SCRAPE_SECONDS,
)
const lines = {
  read: await line('read', 'sum(rate(millrace_input_rows_total[10s]))'),
  lag: await line('rows waiting', 'pipeline:millrace_lag_rows:sum'),
  delay: await line(
    '95 %',
    'histogram_quantile(0.95, sum by (le) (rate(millrace_batch_total_delay_seconds_bucket[30s])))',
  ),
  watermark: await line('behind the clock', 'max(millrace_watermark_lag_seconds)'),
  memory: await line('resident', 'max(process_resident_memory_bytes) / 1024 / 1024'),
  loop: await line('99 %', 'max(nodejs_eventloop_lag_p99_seconds) * 1000'),
}
await daemon.stop()
const landed = await landedRows(started.s3, mkdtempSync(join(folder, 'table-')))
await prometheus.stop()
await started.redis.stop()
await started.s3.stop()
await started.kafka.stop()

const bad = Math.floor(sent / 2_000)
const summary = {
  minutes: MINUTES,
  sent,
  bad,
  landedRows: landed.rows,
  landedOffsets: landed.offsets,
  files: landed.files,
  kills: recoveries,
  exits: daemon.exits.map(({ code, signal }) => code ?? signal),
  queries: panels.length,
  queriesWithoutData: empty.map(({ title, expression }) => `${title}: ${expression}`),
  alertsThatFired: alerts.map(({ metric }) => metric.alertname),
  mostLagRows: Math.max(...lines.lag.points.map(([, value]) => value)),
  mostResidentMiB: Math.round(Math.max(...lines.memory.points.map(([, value]) => value))),
}
console.log(JSON.stringify(summary, null, 2))
const out = join(projectFolder, 'docs', 'recordings')
mkdirSync(out, { recursive: true })
writeFileSync(join(out, 'service.json'), `${JSON.stringify(summary, null, 2)}\n`)
const inMinutes = ({ name, points }) => ({ name, points: points.map(([time, value]) => [time / 60, value]) })
const whole = value => value.toLocaleString('en')
writeFileSync(
  join(out, 'service.svg'),
  linePlot({
    until: (endedAt - startedAt) / 60_000,
    unit: 'minutes',
    ticks: Array.from({ length: Math.floor(MINUTES / 2) + 1 }, (_, at) => at * 2),
    breakAt: (1.6 * SCRAPE_SECONDS) / 60,
    marks: kills.map(at => ({ at: at / 60, text: 'kill -9' })),
    panels: [
      {
        title: 'Rows/s',
        format: whole,
        lines: [inMinutes({ name: 'sent', points: sentRate(sentOverTime, SCRAPE_SECONDS) }), inMinutes(lines.read)],
      },
      { title: 'Lag, rows', format: whole, lines: [inMinutes(lines.lag)] },
      { title: 'Lag, s', format: whole, lines: [inMinutes(lagAge)] },
      { title: 'Total delay of a batch, s', format: whole, lines: [inMinutes(lines.delay)] },
      { title: 'Watermark, s', format: whole, lines: [inMinutes(lines.watermark)] },
      { title: 'Memory, MiB', format: whole, lines: [inMinutes(lines.memory)] },
      { title: 'Event-loop delay, ms', format: whole, lines: [inMinutes(lines.loop)] },
    ],
  }),
)
rmSync(folder, { recursive: true })
const wrong = [
  ...(empty.length > 0 ? ['a panel has no data'] : []),
  ...(recoveries.some(({ caughtUpAfter }) => caughtUpAfter === undefined)
    ? ['the lag did not recover after a kill']
    : []),
  ...(landed.rows !== sent - bad || landed.offsets !== landed.rows ? ['rows were lost or doubled'] : []),
]
for (const problem of wrong) console.error(problem)
process.exitCode = wrong.length === 0 ? 0 : 1
