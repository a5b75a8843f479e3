import { Kafka, type KafkaMessage, logLevel } from 'kafkajs'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { MillraceError } from '../../src/base/errors.ts'
import { durationMs } from '../../src/base/units.ts'
import { KafkaCluster } from '../../src/kafka/cluster.ts'
import type { Connect } from '../../src/kafka/connection.ts'
import { FramePool } from '../../src/kafka/frame-pool.ts'
import { PRODUCE } from '../../src/kafka/produce-requests.ts'
import { tcpConnect } from '../../src/kafka/tcp-connection.ts'
import { cutRequests } from '../../src/sinks/kafka/cut-requests.ts'
import { IdempotentProducer } from '../../src/sinks/kafka/idempotent-producer.ts'
import { kafkaPublisher } from '../../src/sinks/kafka/kafka-publisher.ts'
import { systemClock, systemRandom } from '../../src/wiring/system.ts'
import { type Message, messagesOf } from '../support/messages.ts'
import { createTopic, recordsIn, uniqueName } from './support/topics.ts'

const brokers = () => [inject('kafkaBrokers')]
const TIMEOUT = durationMs(10_000)

/** All messages of a topic, as kafkajs reads them. */
const readByKafkajs = async (topic: string, count: number) => {
  const kafka = new Kafka({ clientId: 'tests', brokers: brokers(), logLevel: logLevel.NOTHING })
  const consumer = kafka.consumer({ groupId: uniqueName('reader') })
  onTestFinished(() => consumer.disconnect())
  const read: (KafkaMessage & { readonly partition: number })[] = []
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  const all = new Promise<void>(resolve => {
    void consumer.run({
      eachMessage: ({ partition, message }) => {
        read.push({ ...message, partition })
        if (read.length === count) resolve()
        return Promise.resolve()
      },
    })
  })
  await all
  return read
}

const message = (at: number): Message => ({
  key: at % 3 === 0 ? null : Buffer.from(`key ${at % 50}`),
  value: at % 7 === 0 ? null : Buffer.from(`value ${at} ${'é'.repeat(at % 200)}`),
})

describe.each(['none', 'gzip'] as const)('rows in a topic, compression %s', compression => {
  it('are read by kafkajs with key, value, id and time, and each key from the partition that kafkajs sends it to', async () => {
    const [topic, theirs] = await Promise.all([createTopic(3), createTopic(3)])
    const publisher = kafkaPublisher({
      topic,
      brokers: brokers(),
      clientId: 'tests',
      compression,
      requestTimeoutMs: TIMEOUT,
      deliveryTimeoutMs: durationMs(30_000),
      maxRequestBytes: 20_000,
      clock: systemClock,
      random: systemRandom,
    })
    onTestFinished(() => publisher.close())
    const written = Array.from({ length: 2000 }, (_, at) => message(at))
    const before = Date.now()
    await publisher.send({ messages: messagesOf(written), firstIndex: 5, idPrefix: 'p/s/1/2', batchId: 2 })
    const read = await readByKafkajs(topic, written.length)
    const indexOf = ({ headers }: KafkaMessage): number =>
      Number(String(headers?.['millrace-id']).slice('p/s/1/2/'.length))
    const text = (bytes: Buffer | null) => bytes?.toString() ?? null
    expect(
      read
        .toSorted((a, b) => indexOf(a) - indexOf(b))
        .map(each => ({ key: text(each.key), value: text(each.value), index: indexOf(each) })),
    ).toEqual(written.map(({ key, value }, at) => ({ key: text(key), value: text(value), index: 5 + at })))
    for (const { timestamp } of read) {
      expect(Number(timestamp)).toBeGreaterThanOrEqual(before)
      expect(Number(timestamp)).toBeLessThanOrEqual(Date.now())
    }
    expect(await recordsIn(topic)).toBe(written.length)

    const keyed = read.filter(({ key }) => key !== null)
    const producer = new Kafka({ brokers: brokers(), logLevel: logLevel.NOTHING }).producer()
    onTestFinished(() => producer.disconnect())
    await producer.connect()
    await producer.send({ topic: theirs, messages: keyed.map(({ key, value }) => ({ key, value })) })
    const partitionOf = new Map(
      (await readByKafkajs(theirs, keyed.length)).map(each => [text(each.key), each.partition]),
    )
    for (const { key, partition } of keyed) expect(partition).toBe(partitionOf.get(text(key)))
  })
})

it('a batch whose answer is lost is in the topic once', async () => {
  const topic = await createTopic(2)
  const connect = tcpConnect({ clientId: 'tests', requestTimeoutMs: TIMEOUT, frames: new FramePool(0) })
  let answers = 0
  /** Every other answer to a batch is lost, and the connection with it. */
  const losing: Connect = async to => {
    const connection = await connect(to)
    return {
      address: connection.address,
      get open() {
        return connection.open
      },
      close: () => connection.close(),
      request: async (api, request) => {
        const answer = await connection.request(api, request)
        if (api.key !== PRODUCE.key || (answers += 1) % 2 === 0) return answer
        connection.close()
        throw new MillraceError('BROKER_UNREACHABLE', 'the answer is lost', { remedy: 'Ask again.' })
      },
    }
  }
  const cluster = new KafkaCluster({ brokers: brokers(), connect: losing, clock: systemClock, random: systemRandom })
  onTestFinished(() => cluster.close())
  const producer = new IdempotentProducer({
    cluster,
    topic,
    compression: 'none',
    timeoutMs: TIMEOUT,
    clock: systemClock,
  })
  const published = {
    messages: messagesOf(Array.from({ length: 100 }, (_, at) => message(at))),
    firstIndex: 0,
    idPrefix: 'p/s/1/1',
    batchId: 1,
  }
  for (const records of cutRequests(published, { partitions: 2, maxRequestBytes: 2000, timestamp: Date.now() })) {
    await producer.send(records)
  }
  expect(answers).toBeGreaterThan(10)
  expect(await recordsIn(topic)).toBe(100)
})
