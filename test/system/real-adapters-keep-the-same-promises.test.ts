import {
  checkpointPromises,
  type OpenedStore,
  type SourceRecord,
  type SourceUnderTest,
  sinkPromises,
  sourcePromises,
} from 'millrace/testing'
import { beforeAll, describe, inject, it } from 'vitest'
import { durationMs, offset } from '../../src/base/units.ts'
import { kafkaPublisher } from '../../src/sinks/kafka/kafka-publisher.ts'
import { redisViewStore } from '../../src/sinks/redis/redis-view-store.ts'
import { openS3ObjectStore } from '../../src/storage/s3/s3-object-store.ts'
import { systemClock, systemRandom } from '../../src/wiring/system.ts'
import { openTestCheckpoint } from '../support/checkpoints.ts'
import { outboxUnderTest, type Receiver, tableUnderTest, viewUnderTest } from '../support/sinks-under-test.ts'
import { openKafkaPlanner, openKafkaReader } from './support/kafka-source.ts'
import { type LoadRecord, type LoadStep, loadTopic } from './support/load-topic.ts'
import { connectRedis, PREFIX, viewContents } from './support/redis.ts'
import { s3Settings, useS3Credentials } from './support/s3.ts'
import { createTopic, uniqueName } from './support/topics.ts'

beforeAll(useS3Credentials)

const openS3Store = async (): Promise<OpenedStore> => {
  const settings = s3Settings()
  const reopen = () => openS3ObjectStore(settings)
  return { store: await reopen(), reopen, close: async () => undefined }
}

/** A topic whose second partition holds these records; every other transaction of it was rolled back. */
const loadTransactions = async (): Promise<{ readonly topic: string; readonly records: readonly SourceRecord[] }> => {
  const topic = await createTopic(2)
  const steps: LoadStep[] = []
  const kept: SourceRecord[] = []
  for (let transaction = 0; transaction < 6; transaction += 1) {
    // the marker at the end of each takes an offset as well
    const records = Array.from({ length: 500 }, (_, at): LoadRecord & SourceRecord => ({
      offset: transaction * 501 + at,
      partition: 1,
      timestamp: 1,
      value: at % 50 === 0 ? null : `value ${at} ${'x'.repeat(at % 300)}`,
    }))
    const rolledBack = transaction % 2 === 1
    steps.push('begin', ...records, rolledBack ? 'abort' : 'commit')
    if (!rolledBack) kept.push(...records.map(({ offset: at, value }) => ({ offset: at, value })))
  }
  await loadTopic(topic, steps, { compression: 'lz4', settings: { 'transactional.id': uniqueName('tx') } })
  return { topic, records: kept }
}

describe('Kafka, with transactions that were rolled back', () => {
  let loaded: ReturnType<typeof loadTransactions> | null = null
  const promises = sourcePromises(async (): Promise<SourceUnderTest> => {
    loaded ??= loadTransactions()
    const { topic, records } = await loaded
    return {
      planner: openKafkaPlanner({ topic }),
      openReader: () => openKafkaReader({ topic }, 20_000),
      topic,
      partition: 1,
      records,
      until: (records.at(-1)?.offset ?? 0) + 1,
      close: async () => undefined,
    }
  })
  for (const { name, run } of promises) it(name, run)
})

describe('S3', () => {
  const checkpoints = checkpointPromises(async () => {
    const { reopen, close } = await openS3Store()
    let drivers = 0
    const openDriver = async () => {
      const driver = (drivers += 1)
      return openTestCheckpoint(await reopen(), driver)
    }
    return { openDriver, close }
  })
  for (const { name, run } of checkpoints) it(name, run)
  for (const { name, run } of sinkPromises(() => tableUnderTest(openS3Store))) it(`table: ${name}`, run)
})

/** All values of a topic with one partition. */
const valuesIn = async (topic: string): Promise<readonly string[]> => {
  const [planner, reader] = [openKafkaPlanner({ topic }), openKafkaReader({ topic })]
  const values: string[] = []
  for (const { partition, earliest, latest } of await planner.bounds()) {
    const range = { topic, partition, from: earliest, until: offset(latest) }
    for await (const { arena, count, valueStart, valueLength } of reader.read(range, new AbortController().signal)) {
      for (let row = 0; row < count; row += 1) {
        const start = valueStart[row] ?? 0
        values.push(Buffer.from(arena.subarray(start, start + (valueLength[row] ?? 0))).toString())
      }
    }
  }
  await Promise.all([planner.close(), reader.close()])
  return values
}

const kafkaReceiver = async (): Promise<Receiver> => {
  const topic = await createTopic(1)
  const openPublisher = () =>
    kafkaPublisher({
      topic,
      brokers: [inject('kafkaBrokers')],
      clientId: 'tests',
      compression: 'none',
      requestTimeoutMs: durationMs(10_000),
      deliveryTimeoutMs: durationMs(30_000),
      maxRequestBytes: 1_048_576,
      clock: systemClock,
      random: systemRandom,
    })
  return { openPublisher, values: () => valuesIn(topic) }
}

describe('a topic that is written from an outbox on S3', () => {
  const promises = sinkPromises(async () => outboxUnderTest(openS3Store, await kafkaReceiver()))
  for (const { name, run } of promises) it(name, run)
})

describe('a view in Redis, with its log on S3', () => {
  const promises = sinkPromises(async () => {
    const redis = await connectRedis(inject('redisUrl'))
    const contents = (name: string) => viewContents(redis, name)
    return viewUnderTest(openS3Store, uniqueName('view'), redisViewStore(redis, PREFIX), contents)
  })
  for (const { name, run } of promises) it(name, run)
})
