import { describe, expect, it } from 'vitest'
import { MillraceError } from '../../../src/base/errors.ts'
import { seededRandom } from '../../../src/base/random.ts'
import { PartitionFetcher } from '../../../src/ingest/kafka/partition-fetcher.ts'
import { CODE } from '../../../src/kafka/broker-codes.ts'
import { KafkaCluster } from '../../../src/kafka/cluster.ts'
import type { BrokerConnection } from '../../../src/kafka/connection.ts'
import { FETCH, type FetchRequest, type PartitionFetch } from '../../../src/kafka/fetch-request.ts'
import { FramePool } from '../../../src/kafka/frame-pool.ts'
import { LIST_OFFSETS, METADATA } from '../../../src/kafka/requests.ts'
import { writeBatch } from '../../support/kafka-records.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const ID = 'a'.repeat(32)
const OF = { topic: 't', partition: 0 }

/** Two brokers that hold the same partition; one leads. */
class TwoBrokers {
  leader = 1
  leaderEpoch = 4
  topicId = ID
  /** Brokers that refuse connections. */
  readonly down = new Set<number>()
  earliest = 0
  readonly fetches: { readonly broker: number; readonly request: FetchRequest }[] = []

  readonly connect = (to: { readonly host: string; readonly port: number }): Promise<BrokerConnection> => {
    const broker = to.port
    const gone = (): MillraceError => new MillraceError('BROKER_UNREACHABLE', `${broker} is down`, { remedy: 'Wait.' })
    if (this.down.has(broker)) return Promise.reject(gone())
    return Promise.resolve({
      address: `${to.host}:${broker}`,
      open: true,
      close: () => undefined,
      request: async (api, request) => {
        if (this.down.has(broker)) throw gone()
        return this.#answer(broker, api.key, request) as never
      },
    })
  }

  #answer(broker: number, key: number, request: unknown): { readonly response: unknown; readonly frame: Buffer } {
    if (key === METADATA.key) {
      const brokers = [1, 2].map(id => ({ id, host: 'kafka', port: id }))
      const partition = { code: 0, partition: 0, leader: this.leader, leaderEpoch: this.leaderEpoch }
      return {
        response: { brokers, topics: [{ code: 0, name: 't', id: this.topicId, partitions: [partition] }] },
        frame: Buffer.alloc(0),
      }
    }
    if (key === LIST_OFFSETS.key)
      return { response: [{ partition: 0, code: 0, offset: this.earliest }], frame: Buffer.alloc(0) }
    expect(key).toBe(FETCH.key)
    return this.#fetched(broker, request as FetchRequest)
  }

  #fetched(broker: number, request: FetchRequest) {
    this.fetches.push({ broker, request })
    const code = this.#codeFor(broker, request)
    const [{ partition, offset: from }] = request.partitions as [PartitionFetch]
    const frame =
      code === 0
        ? writeBatch(
            [1, 2, 3, 4].map(() => ({ key: null, value: Buffer.from('v') })),
            { baseOffset: from },
          )
        : Buffer.alloc(0)
    const records = { start: 0, end: frame.length }
    const fetched = { partition, code, highWatermark: from + 1000, aborted: [], records }
    return { response: { code: 0, partitions: [fetched] }, frame }
  }

  #codeFor(broker: number, { topicId, partitions }: FetchRequest): number {
    const [{ leaderEpoch, offset: from }] = partitions as [PartitionFetch]
    if (topicId !== this.topicId) return CODE.unknownTopicId
    if (broker !== this.leader) return CODE.notLeaderOrFollower
    if (leaderEpoch < this.leaderEpoch) return CODE.fencedLeaderEpoch
    return from < this.earliest ? CODE.offsetOutOfRange : CODE.none
  }
}

const fetcherOver = (brokers: TwoBrokers, failOnDataLoss = true) => {
  const clock = new VirtualClock()
  const cluster = new KafkaCluster({
    brokers: ['kafka:1', 'kafka:2'],
    connect: brokers.connect,
    clock,
    random: seededRandom(1),
  })
  return new PartitionFetcher({
    cluster,
    frames: new FramePool(1_000_000),
    clock,
    isolation: 'read_committed',
    failOnDataLoss,
    fetchMaxBytes: 1_000_000,
    prefetchBytes: 4_000_000,
  })
}

describe('a reader follows the leader of its partition', () => {
  it('to another broker, with the new epoch', async () => {
    const brokers = new TwoBrokers()
    const fetcher = fetcherOver(brokers)
    expect((await fetcher.fetch(OF, 10, 20)).next).toBe(14)
    brokers.leader = 2
    brokers.leaderEpoch = 5
    expect((await fetcher.fetch(OF, 14, 20)).next).toBe(18)
    expect(brokers.fetches.map(({ broker, request }) => [broker, request.partitions[0]?.leaderEpoch])).toEqual([
      [1, 4],
      [1, 4],
      [2, 5],
    ])
  })

  it('when the broker that led is gone', async () => {
    const brokers = new TwoBrokers()
    const fetcher = fetcherOver(brokers)
    await fetcher.fetch(OF, 10, 20)
    brokers.down.add(1)
    brokers.leader = 2
    expect((await fetcher.fetch(OF, 14, 20)).next).toBe(18)
  })

  it('and waits while nobody leads, but not for ever', async () => {
    const brokers = new TwoBrokers()
    brokers.leader = -1
    await expect(fetcherOver(brokers).fetch(OF, 0, 10)).rejects.toMatchObject({
      code: 'LEADER_CHANGED',
      retriable: true,
    })
  })

  it('but not into a topic that was made anew', async () => {
    const brokers = new TwoBrokers()
    const fetcher = fetcherOver(brokers)
    await fetcher.fetch(OF, 10, 20)
    brokers.topicId = 'b'.repeat(32)
    await expect(fetcher.fetch(OF, 14, 20)).rejects.toMatchObject({ code: 'TOPIC_RECREATED' })
  })

  it('and stops where retention overtook it, unless that is allowed', async () => {
    const brokers = new TwoBrokers()
    brokers.earliest = 15
    await expect(fetcherOver(brokers).fetch(OF, 10, 20)).rejects.toMatchObject({ code: 'DATA_LOST' })
    expect((await fetcherOver(brokers, false).fetch(OF, 10, 20)).from).toBe(15)
    // nothing of the range is left
    expect(await fetcherOver(brokers, false).fetch(OF, 10, 12)).toMatchObject({ headers: [], next: 12 })
  })
})
