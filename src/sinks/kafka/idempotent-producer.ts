import type { Clock } from '../../base/clock.ts'
import { asMillraceError, type MillraceError } from '../../base/errors.ts'
import { type DurationMs, durationMs } from '../../base/units.ts'
import { CODE } from '../../kafka/broker-codes.ts'
import type { KafkaCluster, TopicLayout } from '../../kafka/cluster.ts'
import { INIT_PRODUCER_ID, PRODUCE, type ProduceResponse, type ProducerIdentity } from '../../kafka/produce-requests.ts'
import type { RecordsByPartition } from './cut-requests.ts'
import { isLostSequence, noLeader, producerRefused, refused } from './produce-failed.ts'
import type { Compression, RecordBatchBuilder } from './record-batch-builder.ts'

export interface IdempotentProducerOptions {
  readonly cluster: KafkaCluster
  readonly topic: string
  readonly compression: Compression
  /** How long a leader may wait for its replicas. */
  readonly timeoutMs: DurationMs
  readonly clock: Clock
}

/** Sequence numbers begin anew after the largest 32-bit one. */
const SEQUENCE_NUMBERS = 2 ** 31
/** A broker that asks for a longer silence is asked again after this. */
const MAX_THROTTLE_MS = 60_000

/**
 * Adds record batches to a topic, each once although it may be sent twice: a batch whose answer was lost goes out again under
 * the same identity and sequence number, and the broker drops it if it has it. One batch per partition is on its way at a
 * time, so that their order holds.
 */
export class IdempotentProducer {
  readonly #options: IdempotentProducerOptions
  #identity: ProducerIdentity | null = null
  /** Where the next batch of each partition stands. */
  readonly #sequences = new Map<number, number>()
  #listensAt = Number.NEGATIVE_INFINITY

  constructor(options: IdempotentProducerOptions) {
    this.#options = options
  }

  /**
   * Resolves when all records are safe. An error leaves open which of them are.
   * @throws BROKER_UNREACHABLE, BROKER_TIMEOUT, BROKER_ERROR, LEADER_CHANGED, UNKNOWN_TOPIC, RECORD_TOO_LARGE
   */
  async send(records: RecordsByPartition): Promise<void> {
    const waiting = new Map(records)
    try {
      await this.#options.cluster.patiently(() => this.#attempt(waiting))
    } catch (error) {
      // a batch that may have arrived holds its sequence numbers: under them the next one would be taken for it
      this.#identity = null
      throw error
    }
  }

  /** Sends what waits, and takes away what is safe. @throws a failure of what still waits */
  async #attempt(waiting: RecordsByPartition): Promise<void> {
    const { cluster, topic, clock } = this.#options
    const silence = this.#listensAt - clock.monotonicMs()
    if (silence > 0) await clock.sleep(durationMs(silence))
    const layout = await cluster.topic(topic)
    const identity = (this.#identity ??= await this.#identify())
    const requests = [...groupByLeader(layout, waiting)]
    const failures = await Promise.all(
      requests.map(async ([leader, batches]) => {
        try {
          return this.#settle(await this.#request(leader, batches, identity), batches, waiting)
        } catch (error) {
          return [asMillraceError(error)]
        }
      }),
    )
    const all = failures.flat()
    const failure = all.find(({ retriable }) => !retriable) ?? all[0]
    if (failure === undefined) return
    cluster.forget(topic)
    throw failure
  }

  async #identify(): Promise<ProducerIdentity> {
    const { cluster, topic } = this.#options
    const { response } = await cluster.requestAny(INIT_PRODUCER_ID, null)
    if (response.code !== CODE.none) throw producerRefused(topic, response.code)
    this.#sequences.clear()
    return response
  }

  async #request(leader: number, batches: RecordsByPartition, identity: ProducerIdentity): Promise<ProduceResponse> {
    const { cluster, topic, compression, timeoutMs } = this.#options
    if (leader < 0) throw noLeader(topic, [...batches.keys()])
    const partitions = [...batches].map(([partition, records]) => ({
      partition,
      batch: records.seal(identity, this.#sequenceOf(partition), compression),
    }))
    const { response } = await cluster.request(leader, PRODUCE, { topic, timeoutMs, partitions })
    return response
  }

  #settle(
    { partitions, throttleMs }: ProduceResponse,
    batches: RecordsByPartition,
    waiting: RecordsByPartition,
  ): readonly MillraceError[] {
    this.#listensAt = this.#options.clock.monotonicMs() + Math.min(throttleMs, MAX_THROTTLE_MS)
    return [...batches].flatMap(([partition, records]) => {
      const answer = partitions.find(each => each.partition === partition)
      const code = answer?.code ?? CODE.none
      // what comes twice was already there
      const safe = answer !== undefined && (code === CODE.none || code === CODE.duplicateSequenceNumber)
      if (safe) {
        this.#advance(partition, records)
        waiting.delete(partition)
        return []
      }
      // the broker has lost the place in the sequence: another producer goes on
      if (isLostSequence(code)) this.#identity = null
      return [refused(this.#options.topic, partition, answer ?? null)]
    })
  }

  #sequenceOf(partition: number): number {
    return this.#sequences.get(partition) ?? 0
  }

  #advance(partition: number, { count }: RecordBatchBuilder): void {
    this.#sequences.set(partition, (this.#sequenceOf(partition) + count) % SEQUENCE_NUMBERS)
  }
}

/** -1 gathers what nobody leads. */
const groupByLeader = ({ partitions }: TopicLayout, waiting: RecordsByPartition): Map<number, RecordsByPartition> => {
  const groups = new Map<number, RecordsByPartition>()
  for (const [partition, records] of waiting) {
    const leader = partitions.get(partition)?.leader ?? -1
    const group = groups.get(leader) ?? new Map<number, RecordBatchBuilder>()
    groups.set(leader, group.set(partition, records))
  }
  return groups
}
