import { createRequire } from 'node:module'
import type * as Kafkajs from 'kafkajs'
import type { Kafka, Message, Producer } from 'kafkajs'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { type DurationMs, durationMs } from '../../base/units.ts'
import type { MessagePublisher, PublishedMessages, PublisherLimits } from '../message-publisher.ts'
import { produceFailed } from './produce-failed.ts'

export interface KafkaPublisherOptions {
  readonly topic: string
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly compression: 'none' | 'gzip'
  readonly requestTimeoutMs: DurationMs
  /** How long one request is tried again before the pipeline fails. */
  readonly deliveryTimeoutMs: DurationMs
  /** Bytes of messages in one request; less where the topic takes less. */
  readonly maxRequestBytes: number
  readonly clock: Clock
  readonly random: Random
}

/** The header that a message's id is in: `<pipeline>/<sink>/<epoch>/<batch>/<index>`. */
const ID_HEADER = 'millrace-id'
/** Attempts within the client, under one sequence number, so that the broker drops what it has already. */
const CLIENT_RETRIES = 5
const FIRST_BACKOFF_MS = 100
const MAX_BACKOFF_MS = 2_000
/** The client holds an object for each message of a request. */
const MAX_MESSAGES = 10_000
/** What a message takes beside key, value and id, generously. */
const MESSAGE_OVERHEAD_BYTES = 64
/** Messages without a key go to one partition in runs of so many. */
const RUN_LENGTH = 512

const require = createRequire(import.meta.url)
/** Loaded with the first publisher, as most pipelines have none. */
const client = (): typeof Kafkajs => require('kafkajs') as typeof Kafkajs

/** Sends messages to a topic with an idempotent producer, one request at a time, so that their order holds. */
export const kafkaPublisher = (options: KafkaPublisherOptions): MessagePublisher => new KafkaPublisher(options)

/** What the topic is like. */
interface Topic {
  readonly partitions: number
  readonly maxRequestBytes: number
}

class KafkaPublisher implements MessagePublisher {
  readonly description: string
  readonly #options: KafkaPublisherOptions
  readonly #kafka: Kafka
  #topic: Topic | null = null
  #producer: Producer | null = null

  constructor(options: KafkaPublisherOptions) {
    this.description = `kafka ${options.topic}`
    this.#options = options
    const { Kafka: Client, logLevel } = client()
    this.#kafka = new Client({
      clientId: options.clientId,
      brokers: [...options.brokers],
      requestTimeout: options.requestTimeoutMs,
      connectionTimeout: options.requestTimeoutMs,
      logLevel: logLevel.NOTHING,
      retry: { retries: CLIENT_RETRIES, initialRetryTime: FIRST_BACKOFF_MS, maxRetryTime: MAX_BACKOFF_MS },
    })
  }

  async check(): Promise<PublisherLimits> {
    this.#topic ??= await this.#patiently(() => this.#describeTopic())
    return { maxMessageBytes: this.#topic.maxRequestBytes - MESSAGE_OVERHEAD_BYTES - MAX_ID_BYTES }
  }

  async send(published: PublishedMessages): Promise<void> {
    const topic = (this.#topic ??= await this.#patiently(() => this.#describeTopic()))
    for (const messages of requestsOf(published, topic)) await this.#patiently(() => this.#sendRequest(messages))
  }

  async close(): Promise<void> {
    await this.#dropProducer()
  }

  async #sendRequest(messages: Message[]): Promise<void> {
    const { topic, compression, requestTimeoutMs: timeout } = this.#options
    const producer = (this.#producer ??= await this.#connect())
    const codec = compression === 'gzip' ? client().CompressionTypes.GZIP : client().CompressionTypes.None
    await producer.send({ topic, acks: -1, timeout, compression: codec, messages })
  }

  async #connect(): Promise<Producer> {
    const producer = this.#kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: client().Partitioners.DefaultPartitioner,
      retry: { retries: CLIENT_RETRIES },
    })
    await producer.connect()
    return producer
  }

  async #describeTopic(): Promise<Topic> {
    const admin = this.#kafka.admin()
    const { topic: name, maxRequestBytes } = this.#options
    try {
      await admin.connect()
      const { topics } = await admin.fetchTopicMetadata({ topics: [name] })
      const partitions = topics.find(topic => topic.name === name)?.partitions.length ?? 1
      const allowed = await admin
        .describeConfigs({
          includeSynonyms: false,
          resources: [{ type: client().ConfigResourceTypes.TOPIC, name, configNames: ['max.message.bytes'] }],
        })
        .then(
          ({ resources }) => Number(resources[0]?.configEntries[0]?.configValue),
          // who may write a topic need not be allowed to look at its configuration
          () => Number.NaN,
        )
      return { partitions, maxRequestBytes: allowed > 0 ? Math.min(allowed, maxRequestBytes) : maxRequestBytes }
    } finally {
      await admin.disconnect().catch(() => undefined)
    }
  }

  /**
   * Repeats `work` with growing pauses while it fails with a passing error and the delivery timeout lasts. After a failure
   * another producer goes on: whether the old one's request arrived is not known, nor is then its place in the sequence.
   */
  async #patiently<Result>(work: () => Promise<Result>): Promise<Result> {
    const { clock, random, deliveryTimeoutMs } = this.#options
    const startedAt = clock.monotonicMs()
    for (let failures = 0; ; failures += 1) {
      try {
        return await work()
      } catch (thrown) {
        await this.#dropProducer()
        const error = produceFailed(thrown, this.#options)
        if (!error.retriable || clock.monotonicMs() - startedAt >= deliveryTimeoutMs) throw error
        const pause = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** failures) * (0.5 + random.next() / 2)
        await clock.sleep(durationMs(pause))
      }
    }
  }

  async #dropProducer(): Promise<void> {
    const producer = this.#producer
    this.#producer = null
    await producer?.disconnect().catch(() => undefined)
  }
}

/** Longest id: names of pipeline and sink have at most 100 and 210 characters, three numbers at most 16. */
const MAX_ID_BYTES = 400

/** Cuts messages into requests. A key decides on the partition; messages without one are spread the same way each time. */
function* requestsOf({ messages, ...published }: PublishedMessages, topic: Topic): Generator<Message[]> {
  const bytes = Buffer.from(messages.bytes.buffer, messages.bytes.byteOffset, messages.bytes.length)
  let request: Message[] = []
  let size = 0
  for (let index = published.firstIndex; messages.next(); index += 1) {
    const { keyStart, keyEnd, valueStart, valueEnd } = messages
    const key = keyStart < 0 ? null : bytes.subarray(keyStart, keyEnd)
    const value = valueStart < 0 ? null : bytes.subarray(valueStart, valueEnd)
    const id = `${published.idPrefix}/${index}`
    const more = (key?.length ?? 0) + (value?.length ?? 0) + id.length + MESSAGE_OVERHEAD_BYTES
    if (request.length > 0 && (size + more > topic.maxRequestBytes || request.length >= MAX_MESSAGES)) {
      yield request
      request = []
      size = 0
    }
    const run = published.batchId + Math.floor(index / RUN_LENGTH)
    const partition = key === null ? { partition: run % topic.partitions } : {}
    request.push({ key, value, headers: { [ID_HEADER]: id }, ...partition })
    size += more
  }
  if (request.length > 0) yield request
}
