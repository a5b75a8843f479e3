import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { describe, expect, inject, it } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import { openDuck } from '../support/duckdb.ts'
import { pipelineFile, runCli, temporaryFolder } from './support/cli.ts'
import { type LoadRecord, loadTopic } from './support/load-topic.ts'
import { createTopic, groupOffsets, uniqueName } from './support/topics.ts'

const TIME = 1_768_471_200_000
const rows = (count: number, from: number, more: (id: number) => Partial<LoadRecord> = () => ({})) =>
  Array.from({ length: count }, (_, at): LoadRecord => {
    const id = from + at
    return { value: JSON.stringify({ id, at: TIME + id, more: 'x'.repeat(400) }), ...more(id) }
  })

/** Runs the pipeline in batches whose ranges begin and end within gaps; answers what landed and what is committed. */
const runInBatches = async (topic: string) => {
  const root = temporaryFolder()
  const PIPELINE = uniqueName('gaps')
  const env = { TOPIC: topic, PIPELINE, MAX_OFFSETS: '300' }
  const { code, stderr } = await runCli(['run', pipelineFile('strict'), '--available-now', '--root', root], env)
  expect([code, stderr]).toEqual([0, ''])
  const duck = await openDuck()
  const landed = await duck.query(
    `SELECT "offset"::INT AS at, id FROM read_parquet('${root}/rows/**/*.parquet') ORDER BY ALL`,
  )
  duck.close()
  return { landed, committed: (await groupOffsets(`millrace-${PIPELINE}`, topic)).get(0) }
}

/** Where the broker's cleaner has come to in a partition 0. */
const cleanedTo = (topic: string): number => {
  const checkpoint = readFileSync(join(inject('kafkaFolder'), 'data', 'cleaner-offset-checkpoint'), 'utf8')
  return Number(checkpoint.match(new RegExp(`^${topic} 0 (\\d+)$`, 'm'))?.[1] ?? 0)
}

/** What is left in a topic up to its last record, as a client that is not ours reads it. */
const readWithAnotherClient = async (topic: string, last: number) => {
  const kafka = new Kafka({ clientId: 'tests', brokers: [inject('kafkaBrokers')], logLevel: logLevel.NOTHING })
  const consumer = kafka.consumer({ groupId: uniqueName('witness') })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const found: { readonly at: number; readonly id: number }[] = []
  await new Promise<void>((resolve, reject) => {
    const eachMessage = ({
      message,
    }: {
      readonly message: { readonly offset: string; readonly value: Buffer | null }
    }) => {
      const { id } = JSON.parse(String(message.value)) as { readonly id: number }
      if (found.push({ at: Number(message.offset), id }) > 0 && Number(message.offset) >= last) resolve()
      return Promise.resolve()
    }
    consumer.run({ eachMessage }).catch(reject)
  })
  await consumer.disconnect()
  return found
}

describe('offsets that hold no record are passed over, and committed', () => {
  it('where compaction took records away, whole batches among them', async () => {
    const settings = { 'segment.bytes': '1048576', 'min.cleanable.dirty.ratio': '0.01' }
    const topic = await createTopic(1, { 'cleanup.policy': 'compact', ...settings })
    const random = seededRandom(7)
    const count = 6000
    // lone records among long gaps; the segment that is written to is not cleaned, so that what is left stays
    const key = (id: number) => ({ key: random.next() < 0.02 ? `rare-${id}` : `often-${id % 5}` })
    await loadTopic(topic, rows(count, 0, key), { settings: { 'batch.size': '4096' } })
    await expect.poll(() => cleanedTo(topic), { timeout: 60_000, interval: 200 }).toBeGreaterThan(3000)
    const left = await readWithAnotherClient(topic, count - 1)
    expect(left.length).toBeLessThan(4000)
    expect(await runInBatches(topic)).toEqual({ landed: left, committed: count })
  })

  it('where a transaction at the end of the log was rolled back', async () => {
    const topic = await createTopic(1)
    const settings = { 'transactional.id': uniqueName('tx') }
    const steps = [...rows(500, 0), 'commit', 'begin', ...rows(700, 500), 'abort'] as const
    await loadTopic(topic, ['begin', ...steps], { settings })
    const landed = Array.from({ length: 500 }, (_, at) => ({ at, id: at }))
    // a marker ends each transaction
    expect(await runInBatches(topic)).toEqual({ landed, committed: 500 + 1 + 700 + 1 })
  })
})
