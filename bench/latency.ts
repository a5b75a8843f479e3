import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Kafka, logLevel } from 'kafkajs'
import { projectFolder } from '../scripts/set-up.mjs'
import { textTable } from '../src/base/text-table.ts'
import { quantile } from './measure/statistics.ts'

/** A trickle of so many events per second, in one partition, sent in small requests. */
const EVENTS_PER_SECOND = 1000
const SEND_EVERY_MS = 10
/** Code is compiled and rates are learned before anything counts. */
const WARM_UP_MS = 10_000

export interface Latencies {
  readonly trigger: string
  readonly events: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** A loop that only produces and consumes, at the same time on the same machine. */
  readonly bareP50Ms: number
  readonly bareP99Ms: number
  /** User and system time of the pipeline's process, as a share of one core. */
  readonly cores: number
}

/** Runs the pipeline under a trickle, once for each trigger, and shows how much later than a bare loop its rows come. */
export const benchLatency = async (brokers: string, folder: string, seconds: number, json: boolean): Promise<void> => {
  const measured: Latencies[] = []
  for (const trigger of ['200ms', 'default']) {
    process.stderr.write(`Trickle of ${EVENTS_PER_SECOND} events/s for ${seconds} s, trigger ${trigger} …\n`)
    measured.push(await trickle(brokers, join(folder, `latency-${trigger}`), trigger, seconds * 1000))
  }
  process.stdout.write(json ? measured.map(each => `${JSON.stringify(each)}\n`).join('') : table(measured))
}

const table = (measured: readonly Latencies[]): string =>
  textTable(
    ['trigger', 'events', 'p50 ms', 'p99 ms', 'bare p50', 'bare p99', 'above p50', 'above p99', 'cores'].map(
      (name, at) => ({ name, align: at === 0 ? 'left' : 'right' }),
    ),
    measured.map(each => [
      each.trigger,
      each.events.toLocaleString('en'),
      ...[each.p50Ms, each.p99Ms, each.bareP50Ms, each.bareP99Ms].map(ms => ms.toFixed(1)),
      (each.p50Ms - each.bareP50Ms).toFixed(1),
      (each.p99Ms - each.bareP99Ms).toFixed(1),
      each.cores.toFixed(2),
    ]),
  )

const trickle = async (brokers: string, root: string, trigger: string, lengthMs: number): Promise<Latencies> => {
  const kafka = new Kafka({ clientId: 'latency', brokers: [brokers], logLevel: logLevel.NOTHING })
  const topics = ['from', 'to', 'bare'].map(name => `latency-${name}-${process.pid}-${trigger}`)
  const [from = '', to = '', bare = ''] = topics
  await withAdmin(kafka, admin =>
    admin.createTopics({ waitForLeaders: true, topics: topics.map(topic => ({ topic, numPartitions: 1 })) }),
  )
  const pipeline = startPipeline(brokers, root, trigger, { BENCH_TOPIC: from, LATENCY_TO: to })
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  const consumer = kafka.consumer({ groupId: from, maxWaitTimeInMs: 500 })
  try {
    const delays = { [to]: [] as number[], [bare]: [] as number[] }
    let counting = false
    await consumer.connect()
    await consumer.subscribe({ topics: [to, bare], fromBeginning: true })
    await consumer.run({
      eachMessage: ({ topic, message }) => {
        const { sent_at: sentAt } = JSON.parse(String(message.value)) as { readonly sent_at: number }
        if (counting) delays[topic]?.push(now() - sentAt)
        return Promise.resolve()
      },
    })
    await producer.connect()
    await send(producer, [from, bare], WARM_UP_MS)
    counting = true
    const cpuBefore = cpuSeconds(pipeline)
    await send(producer, [from, bare], lengthMs)
    const cores = (cpuSeconds(pipeline) - cpuBefore) / (lengthMs / 1000)
    await sleep(1000)
    return { trigger, ...quantilesOf(delays[to] ?? [], delays[bare] ?? []), cores }
  } finally {
    await producer.disconnect()
    await consumer.disconnect()
    const ended = once(pipeline, 'exit')
    pipeline.kill('SIGTERM')
    await ended
    await withAdmin(kafka, admin => admin.deleteTopics({ topics }))
  }
}

const quantilesOf = (ours: readonly number[], bare: readonly number[]) => ({
  events: ours.length,
  p50Ms: quantile(ours, 0.5),
  p99Ms: quantile(ours, 0.99),
  bareP50Ms: quantile(bare, 0.5),
  bareP99Ms: quantile(bare, 0.99),
})

/** Milliseconds with a fraction, comparable within this process. */
const now = (): number => performance.timeOrigin + performance.now()

/** Sends the same events to all topics at a steady pace. */
const send = async (
  producer: ReturnType<Kafka['producer']>,
  topics: readonly string[],
  lengthMs: number,
): Promise<void> => {
  const startedAt = performance.now()
  for (let sent = 0; ; ) {
    const passed = performance.now() - startedAt
    if (passed >= lengthMs) return
    const due = Math.floor((passed * EVENTS_PER_SECOND) / 1000) - sent
    const value = () => JSON.stringify({ id: sent, sent_at: now() })
    const messages = Array.from({ length: due }, () => ({ value: value() }))
    sent += due
    if (due > 0) {
      await producer.sendBatch({ acks: 1, topicMessages: topics.map(topic => ({ topic, messages })) })
    }
    await sleep(SEND_EVERY_MS)
  }
}

const startPipeline = (
  brokers: string,
  root: string,
  trigger: string,
  env: Readonly<Record<string, string>>,
): ChildProcess =>
  spawn(
    process.execPath,
    [join(projectFolder, 'dist', 'cli', 'main.js'), 'run', join(projectFolder, 'bench', 'jobs', 'latency.ts')].concat(
      ['--root', root],
      trigger === 'default' ? [] : ['--trigger', trigger],
    ),
    {
      env: { ...process.env, MILLRACE_KAFKA_BROKERS: brokers, BENCH_VALIDATE: 'row', ...env },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  )

/** CPU of a process so far. */
const cpuSeconds = ({ pid }: ChildProcess): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

const withAdmin = async (
  kafka: Kafka,
  work: (admin: ReturnType<Kafka['admin']>) => Promise<unknown>,
): Promise<void> => {
  const admin = kafka.admin()
  await admin.connect()
  try {
    await work(admin)
  } finally {
    await admin.disconnect()
  }
}
