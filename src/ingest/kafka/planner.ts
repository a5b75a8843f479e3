import type { Clock } from '../../base/clock.ts'
import { MillraceError } from '../../base/errors.ts'
import { type DurationMs, type EpochMs, type Offset, offset } from '../../base/units.ts'
import { CODE, isLeadershipCode, isTopicUnknownCode, nameOfCode } from '../../kafka/broker-codes.ts'
import { KafkaCluster, type PartitionLeader, type TopicLayout } from '../../kafka/cluster.ts'
import { FramePool } from '../../kafka/frame-pool.ts'
import { EARLIEST, LATEST, LIST_OFFSETS } from '../../kafka/requests.ts'
import { tcpConnect } from '../../kafka/tcp-connection.ts'
import type { KafkaSourceNode } from '../../pipeline/plan.ts'
import type { OffsetsJson } from '../../pipeline/sources.ts'
import type { PartitionBounds, PartitionOffset, SourcePlanner } from '../source.ts'
import { GroupMirror } from './group-mirror.ts'
import { leaderOf, topicRecreated } from './partition-fetcher.ts'
import type { KafkaConnectionOptions } from './reader.ts'

export interface KafkaPlannerOptions extends KafkaConnectionOptions {
  /** Name of the pipeline: the group that offsets are mirrored to is called after it. */
  readonly pipeline: string
  readonly onWarning: (message: string) => void
}

/**
 * New partitions, new leaders and deleted records are looked for so often: many plans a second would each spend two more
 * requests on what changes once in days. A request that fails looks at once.
 */
const LOOK_EVERY_MS = 1_000

/** The driver's side of a topic: what there is to read, never the records. */
export const kafkaSourcePlanner = (options: KafkaPlannerOptions): SourcePlanner => new KafkaPlanner(options)

class KafkaPlanner implements SourcePlanner {
  readonly description: string
  readonly #node: KafkaSourceNode
  readonly #clock: Clock
  readonly #cluster: KafkaCluster
  readonly #mirror: GroupMirror
  #topicId: string | null = null
  #lookedAt = Number.NEGATIVE_INFINITY
  /** As of the last look. */
  #earliest: { readonly layout: TopicLayout; readonly offsets: readonly PartitionOffset[] } | null = null

  constructor(options: KafkaPlannerOptions) {
    const { node, clientId, requestTimeoutMs } = options
    this.description = `kafka ${node.topic}`
    this.#node = node
    this.#clock = options.clock
    this.#cluster = new KafkaCluster({
      ...options,
      connect: tcpConnect({
        clientId,
        requestTimeoutMs: requestTimeoutMs as DurationMs,
        frames: new FramePool(0),
      }),
    })
    this.#mirror = new GroupMirror({
      cluster: this.#cluster,
      clock: options.clock,
      groupId: node.groupId ?? `millrace-${options.pipeline}`,
      topic: node.topic,
    })
  }

  async identity(): Promise<string> {
    const { id } = await this.#layout()
    return id
  }

  async startingOffsets(): Promise<readonly PartitionOffset[]> {
    const { startingPosition: start, topic } = this.#node
    switch (start.kind) {
      case 'earliest':
        return this.#list(EARLIEST)
      case 'latest':
        return this.#list(LATEST)
      case 'offsets':
        return this.#resolve(start.offsets[topic] ?? {}, 'startingOffsets')
      case 'timestamp':
        return this.#atTimestamp(start.timestamp)
      default:
        return start satisfies never
    }
  }

  offsetsAt(timestamp: EpochMs): Promise<readonly PartitionOffset[]> {
    return this.#atTimestamp(timestamp)
  }

  async bounds(): Promise<readonly PartitionBounds[]> {
    const earliest = await this.#firstOffsets()
    const latest = await this.#list(LATEST)
    const ends = new Map(latest.map(end => [end.partition, end.offset]))
    return earliest.map(({ topic, partition, offset: first }) => ({
      topic,
      partition,
      earliest: first,
      latest: ends.get(partition) ?? first,
    }))
  }

  async endingOffsets(): Promise<readonly PartitionOffset[] | null> {
    const { endingOffsets, topic } = this.#node
    return endingOffsets === null ? null : this.#resolve(endingOffsets[topic] ?? {}, 'endingOffsets')
  }

  committed(offsets: readonly PartitionOffset[]): Promise<void> {
    return this.#mirror.commit(offsets)
  }

  async close(): Promise<void> {
    await this.#mirror.close()
    this.#cluster.close()
  }

  async #layout(): Promise<TopicLayout> {
    const { topic } = this.#node
    const now = this.#clock.monotonicMs()
    if (now - this.#lookedAt >= LOOK_EVERY_MS) {
      this.#cluster.forget(topic)
      this.#lookedAt = now
    }
    const layout = await this.#cluster.topic(topic)
    this.#topicId ??= layout.id
    if (this.#topicId !== layout.id) throw topicRecreated(topic)
    return layout
  }

  /** The first offset of each partition, asked for with each look at the layout. */
  async #firstOffsets(): Promise<readonly PartitionOffset[]> {
    const layout = await this.#layout()
    if (this.#earliest?.layout !== layout) this.#earliest = { layout, offsets: await this.#list(EARLIEST) }
    return this.#earliest.offsets
  }

  /** One offset for each partition: the first record at `timestamp` or later (-1 where there is none), or an end. */
  async #list(timestamp: number): Promise<readonly PartitionOffset[]> {
    return this.#cluster.patiently(async () => {
      const layout = await this.#layout()
      try {
        const answers = await Promise.all(
          [...byLeader(layout)].map(([leader, partitions]) => this.#ask(leader, partitions, timestamp)),
        )
        return answers.flat().toSorted((a, b) => a.partition - b.partition)
      } catch (error) {
        // somebody else may lead by now
        this.#cluster.forget(this.#node.topic)
        throw error
      }
    })
  }

  async #ask(
    leader: number,
    leaders: readonly PartitionLeader[],
    timestamp: number,
  ): Promise<readonly PartitionOffset[]> {
    const { topic, isolation } = this.#node
    const partitions = leaders.map(({ partition, leaderEpoch }) => ({ partition, leaderEpoch, timestamp }))
    const { response } = await this.#cluster.request(leader, LIST_OFFSETS, { isolation, topic, partitions })
    return response.map(({ partition, code, offset: found }) => {
      if (code !== CODE.none) throw refused(topic, partition, code)
      return { topic, partition, offset: offset(found) }
    })
  }

  /** Partitions without a record at that time or later start at their end. */
  async #atTimestamp(timestamp: number): Promise<readonly PartitionOffset[]> {
    const [found, latest] = await Promise.all([this.#list(timestamp), this.#list(LATEST)])
    const ends = new Map(latest.map(end => [end.partition, end.offset]))
    return found.map(each => (each.offset >= 0 ? each : { ...each, offset: ends.get(each.partition) ?? each.offset }))
  }

  /**
   * Offsets as the pipeline names them, for every partition, -2 and -1 looked up.
   * @throws INVALID_PIPELINE where a partition is missing or too many, or an offset lies beyond the partition's end
   */
  async #resolve(named: OffsetsJson[string], option: string): Promise<readonly PartitionOffset[]> {
    const { topic } = this.#node
    const [earliest, latest] = await Promise.all([this.#list(EARLIEST), this.#list(LATEST)])
    const ends = new Map<number, Offset>(latest.map(end => [end.partition, end.offset]))
    const left = new Set(Object.keys(named))
    const resolved = earliest.map(({ partition, offset: first }) => {
      const position = named[String(partition)]
      if (position === undefined) throw offsetsDoNotFit(option, topic, `partition ${partition} is not named`)
      left.delete(String(partition))
      if (position === EARLIEST) return { topic, partition, offset: first }
      const end = ends.get(partition) ?? first
      if (position > end) throw offsetsDoNotFit(option, topic, `partition ${partition} ends at ${end}, not ${position}`)
      return { topic, partition, offset: position === LATEST ? end : offset(position) }
    })
    const [unknown] = left
    if (unknown !== undefined) throw offsetsDoNotFit(option, topic, `partition ${unknown} does not exist`)
    return resolved
  }
}

const byLeader = (layout: TopicLayout): ReadonlyMap<number, readonly PartitionLeader[]> => {
  const groups = new Map<number, PartitionLeader[]>()
  for (const partition of layout.partitions.keys()) {
    const leader = leaderOf(layout, { topic: layout.name, partition })
    const group = groups.get(leader.leader)
    if (group === undefined) groups.set(leader.leader, [leader])
    else group.push(leader)
  }
  return groups
}

const refused = (topic: string, partition: number, code: number): MillraceError => {
  const passing = isLeadershipCode(code) || isTopicUnknownCode(code)
  const message = `${topic}/${partition}: offsets can't be listed: ${nameOfCode(code)}`
  return new MillraceError(passing ? 'LEADER_CHANGED' : 'BROKER_ERROR', message, {
    remedy: 'Check that all brokers run and that the client may describe the topic.',
    details: { topic, partition, code },
  })
}

const offsetsDoNotFit = (option: string, topic: string, why: string): MillraceError =>
  new MillraceError('INVALID_PIPELINE', `${option} does not fit topic ${topic}: ${why}`, {
    remedy: `Name each partition of the topic in ${option}, with an offset that it has, -2 for earliest or -1 for latest.`,
    details: { topic },
  })
