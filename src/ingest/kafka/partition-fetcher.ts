import type { Clock } from '../../base/clock.ts'
import { MillraceError } from '../../base/errors.ts'
import { CODE, isLeadershipCode, isTopicUnknownCode, nameOfCode } from '../../kafka/broker-codes.ts'
import type { KafkaCluster, PartitionLeader, TopicLayout } from '../../kafka/cluster.ts'
import type { FetchedPartition } from '../../kafka/fetch-request.ts'
import type { FramePool } from '../../kafka/frame-pool.ts'
import { EARLIEST, type Isolation, LIST_OFFSETS } from '../../kafka/requests.ts'
import { type PartitionName, partitionKey } from '../offset-range.ts'
import { type FetchedBatches, findBatches } from './fetched-batches.ts'
import { type PartitionAnswer, SharedFetches } from './shared-fetches.ts'

/** The broker answers an empty fetch after so long. */
const MAX_WAIT_MS = 500
/** A fetch asks for no less, so that a range that is larger than expected costs few more round trips. */
const MIN_FETCH_BYTES = 16 * 1024
/** As far as it may be kept, a fetch asks for so much: what lies beyond its range is read ahead. */
const READ_AHEAD_BYTES = 1024 * 1024
/** How much more than the expected bytes of a range is asked for. */
const MARGIN = 1.1

export interface FetcherOptions {
  readonly cluster: KafkaCluster
  readonly frames: FramePool
  readonly clock: Clock
  readonly isolation: Isolation
  readonly failOnDataLoss: boolean
  readonly fetchMaxBytes: number
  /** Bytes that may be kept for later, of all partitions. */
  readonly prefetchBytes: number
}

/** Fetches from whoever leads a partition, and follows when somebody else does. */
export class PartitionFetcher {
  readonly #options: FetcherOptions
  readonly #requests: SharedFetches
  /** The incarnation of each topic that this reader began with. */
  readonly #topicIds = new Map<string, string>()
  /** As of the last fetch. */
  readonly #partitions = new Map<string, number>()
  /** Of each partition and, as of the last fetch, of each topic. */
  readonly #bytesPerOffset = new Map<string, number>()
  /** The end of each partition as the last answer told it. */
  readonly #ends = new Map<string, number>()

  constructor(options: FetcherOptions) {
    this.#options = options
    this.#requests = new SharedFetches(options)
  }

  /**
   * Record batches from `position` on: some of them up to `until`, perhaps more. `next` is always beyond `position`.
   * @throws DATA_LOST, TOPIC_RECREATED, UNKNOWN_TOPIC, LEADER_CHANGED, BROKER_UNREACHABLE, BROKER_TIMEOUT,
   *   CORRUPT_RECORD_BATCH, ABORTED
   */
  async fetch(of: PartitionName, position: number, until: number, signal?: AbortSignal): Promise<FetchedBatches> {
    let from = position
    return this.#options.cluster.patiently(async () => {
      const fetched = await this.#fetchOnce(of, from, until, MAX_WAIT_MS)
      if (fetched === 'out of range') {
        from = await this.#afterLoss(of, from)
        if (from >= until) return { frame: Buffer.alloc(0), headers: [], aborted: [], from, next: until }
        throw lagging(of, from)
      }
      if (fetched.next === from) throw lagging(of, from)
      return fetched
    }, signal)
  }

  /** What is there from `position` on, at once; with `next` equal to `position` where nothing is. Never retried. */
  async fetchNow(of: PartitionName, position: number, until: number): Promise<FetchedBatches> {
    const fetched = await this.#fetchOnce(of, position, until, 0)
    if (fetched === 'out of range') throw lagging(of, position)
    return fetched
  }

  /** Hands back the memory of a fetch that nobody reads any more. */
  release({ frame }: FetchedBatches): void {
    this.#options.frames.give(frame)
  }

  /** Whether there were records from `position` on when the partition was last fetched from. */
  hasMore(of: PartitionName, position: number): boolean {
    return (this.#ends.get(partitionKey(of)) ?? 0) > position
  }

  /** Bytes that a fetch of these offsets asks for; without end: the partition's share of what may be read ahead. */
  expectedBytes(of: PartitionName, offsets: number): number {
    const { fetchMaxBytes, prefetchBytes } = this.#options
    const partitions = this.#partitions.get(of.topic) ?? 1
    const share = Math.min(fetchMaxBytes, Math.max(MIN_FETCH_BYTES, prefetchBytes / partitions))
    // of a partition that was never fetched from, what was seen of its topic is the best guess
    const each = this.#bytesPerOffset.get(partitionKey(of)) ?? this.#bytesPerOffset.get(of.topic)
    if (each === undefined || offsets === Number.POSITIVE_INFINITY) return Math.floor(share)
    const needed = Math.max(offsets * each * MARGIN, Math.min(share, READ_AHEAD_BYTES))
    return Math.min(fetchMaxBytes, Math.ceil(needed))
  }

  async #fetchOnce(
    of: PartitionName,
    from: number,
    until: number,
    maxWaitMs: number,
  ): Promise<FetchedBatches | 'out of range'> {
    const { cluster, frames } = this.#options
    const topic = await this.#layout(of.topic)
    const { partition } = of
    const maxBytes = this.expectedBytes(of, until - from)
    let fetched: PartitionAnswer
    try {
      const { leader, leaderEpoch } = leaderOf(topic, of)
      const target = { leader, topicId: topic.id, maxWaitMs }
      fetched = await this.#requests.fetch(target, { partition, leaderEpoch, offset: from, maxBytes })
    } catch (error) {
      // the partition may be newer than what is known of the topic, and its leader gone for good: look again
      cluster.forget(of.topic)
      throw error
    }
    const { answer, frame } = fetched
    let batches: FetchedBatches | null = null
    try {
      if (answer.code === CODE.offsetOutOfRange) return 'out of range'
      if (answer.code !== CODE.none) throw this.#refused(of, answer.code)
      this.#ends.set(partitionKey(of), answer.highWatermark)
      batches = findBatches(of, frame, answer.records, answer.aborted, from)
      this.#noteBytes(of, batches, answer.records)
      return batches
    } finally {
      if (batches === null || batches.next === from) frames.give(frame)
    }
  }

  #noteBytes(of: PartitionName, { from, next }: FetchedBatches, { start, end }: FetchedPartition['records']): void {
    if (next === from) return
    const each = (end - start) / (next - from)
    this.#bytesPerOffset.set(partitionKey(of), each)
    this.#bytesPerOffset.set(of.topic, each)
  }

  /** @throws TOPIC_RECREATED where the topic is no longer the one that this reader began with */
  async #layout(name: string): Promise<TopicLayout> {
    const layout = await this.#options.cluster.topic(name)
    const id = this.#topicIds.get(name) ?? layout.id
    this.#topicIds.set(name, id)
    if (id !== layout.id) throw topicRecreated(name)
    this.#partitions.set(name, layout.partitions.size)
    return layout
  }

  #refused(of: PartitionName, code: number): MillraceError {
    const { topic, partition } = of
    if (isLeadershipCode(code) || isTopicUnknownCode(code)) {
      this.#options.cluster.forget(topic)
      return new MillraceError('LEADER_CHANGED', `${topic}/${partition}: ${nameOfCode(code)}`, {
        remedy: 'Check that all brokers run and that the partition has a leader.',
        details: { topic, partition, code },
      })
    }
    return new MillraceError('BROKER_ERROR', `${topic}/${partition}: the broker refused a fetch: ${nameOfCode(code)}`, {
      remedy: 'Look at the broker: the number is an error code of the Kafka protocol.',
      details: { topic, partition, code },
    })
  }

  /** Where reading can go on after offsets were deleted, if that is allowed. @throws DATA_LOST */
  async #afterLoss(of: PartitionName, from: number): Promise<number> {
    const { cluster, isolation, failOnDataLoss } = this.#options
    const { topic, partition } = of
    const layout = await cluster.refresh(topic)
    const { leader, leaderEpoch } = leaderOf(layout, of)
    const partitions = [{ partition, leaderEpoch, timestamp: EARLIEST }]
    const { response } = await cluster.request(leader, LIST_OFFSETS, { isolation, topic, partitions })
    const earliest = response[0]?.code === CODE.none ? response[0].offset : from
    if (earliest > from && !failOnDataLoss) return earliest
    if (earliest <= from) return from
    throw new MillraceError(
      'DATA_LOST',
      `${topic}/${partition}: offsets ${from} to ${earliest - 1} were deleted before they were read`,
      {
        remedy:
          'Restore the data and start again, or accept the loss: set failOnDataLoss: false on the source, ' +
          'or start anew with --reset-offsets.',
        details: { topic, partition, from, earliest },
      },
    )
  }
}

/** The leader of a partition. @throws LEADER_CHANGED (retriable) while nobody leads */
export const leaderOf = ({ name, partitions }: TopicLayout, { partition }: PartitionName): PartitionLeader => {
  const found = partitions.get(partition)
  if (found !== undefined && found.leader >= 0) return found
  throw new MillraceError('LEADER_CHANGED', `${name}/${partition} has no leader`, {
    remedy: 'Check that all brokers run: a partition without a leader can not be read.',
    details: { topic: name, partition },
  })
}

/** The topic was deleted and created anew: offsets of the old one mean nothing in it. */
export const topicRecreated = (topic: string): MillraceError =>
  new MillraceError('TOPIC_RECREATED', `topic ${topic} was deleted and created anew while it was read`, {
    remedy: 'Start anew in the new topic with --new-checkpoint once you know what was lost.',
    details: { topic },
  })

const lagging = ({ topic, partition }: PartitionName, offset: number): MillraceError =>
  new MillraceError('LEADER_CHANGED', `${topic}/${partition}: the leader does not have offset ${offset} yet`, {
    remedy: 'Check that the replicas of the partition are in sync.',
    details: { topic, partition, offset },
  })
