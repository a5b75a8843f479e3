import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { DurationMs } from '../../base/units.ts'
import { KafkaCluster } from '../../kafka/cluster.ts'
import { FramePool } from '../../kafka/frame-pool.ts'
import { tcpConnect } from '../../kafka/tcp-connection.ts'
import type { MessagePublisher, PublishedMessages, PublisherLimits } from '../message-publisher.ts'
import { cutRequests, maxMessageBytes } from './cut-requests.ts'
import { IdempotentProducer } from './idempotent-producer.ts'
import { produceFailed } from './produce-failed.ts'
import type { Compression } from './record-batch-builder.ts'
import { maxBatchBytesOf } from './topic-limits.ts'

export interface KafkaPublisherOptions {
  readonly topic: string
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly compression: Compression
  readonly requestTimeoutMs: DurationMs
  /** How long one request is tried again before the pipeline fails. */
  readonly deliveryTimeoutMs: DurationMs
  /** Bytes of messages in one request; less where the topic takes less. */
  readonly maxRequestBytes: number
  readonly clock: Clock
  readonly random: Random
}

/** New partitions are looked for so often; new leaders at once when a request fails. */
const LOOK_EVERY_MS = 5 * 60_000

/** Sends messages to a topic with an idempotent producer, one request at a time, so that their order holds. */
export const kafkaPublisher = (options: KafkaPublisherOptions): MessagePublisher => new KafkaPublisher(options)

class KafkaPublisher implements MessagePublisher {
  readonly description: string
  readonly #options: KafkaPublisherOptions
  readonly #cluster: KafkaCluster
  readonly #producer: IdempotentProducer
  #maxRequestBytes: number | null = null
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(options: KafkaPublisherOptions) {
    const { topic, clientId, requestTimeoutMs } = options
    this.description = `kafka ${topic}`
    this.#options = options
    this.#cluster = new KafkaCluster({
      ...options,
      connect: tcpConnect({ clientId, requestTimeoutMs, frames: new FramePool(0) }),
      patienceMs: options.deliveryTimeoutMs,
    })
    this.#producer = new IdempotentProducer({ ...options, cluster: this.#cluster, timeoutMs: requestTimeoutMs })
  }

  check(): Promise<PublisherLimits> {
    return this.#inItsWords(async () => ({ maxMessageBytes: maxMessageBytes((await this.#look()).maxRequestBytes) }))
  }

  send(published: PublishedMessages): Promise<void> {
    return this.#inItsWords(async () => {
      const topic = await this.#look()
      for (const records of cutRequests(published, { ...topic, timestamp: this.#options.clock.nowMs() })) {
        await this.#producer.send(records)
      }
    })
  }

  close(): Promise<void> {
    this.#cluster.close()
    return Promise.resolve()
  }

  /** What the topic is like. Its limits are looked up once, after it is known to exist. */
  async #look(): Promise<{ readonly partitions: number; readonly maxRequestBytes: number }> {
    const { topic, clock, maxRequestBytes } = this.#options
    if (clock.monotonicMs() - this.#lookedAt >= LOOK_EVERY_MS) {
      await this.#cluster.refresh(topic)
      this.#lookedAt = clock.monotonicMs()
    }
    const { partitions } = await this.#cluster.topic(topic)
    const allowed = this.#maxRequestBytes ?? (await this.#cluster.patiently(() => maxBatchBytesOf(this.#options)))
    this.#maxRequestBytes = Math.min(allowed ?? maxRequestBytes, maxRequestBytes)
    return { partitions: partitions.size, maxRequestBytes: this.#maxRequestBytes }
  }

  async #inItsWords<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      throw produceFailed(error, this.#options.topic)
    }
  }
}
