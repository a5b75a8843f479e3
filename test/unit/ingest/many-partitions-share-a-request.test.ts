import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SharedFetches } from '../../../src/ingest/kafka/shared-fetches.ts'
import type { KafkaCluster } from '../../../src/kafka/cluster.ts'
import type { FetchedPartition, FetchRequest } from '../../../src/kafka/fetch-request.ts'
import { FramePool } from '../../../src/kafka/frame-pool.ts'

const FETCH_MAX_BYTES = 1000
const TARGET = { leader: 1, topicId: 'a'.repeat(32), maxWaitMs: 0 }

/** A broker as Kafka fills answers: in order, whole batches only, the first that there is even where it is too large. */
class Broker {
  readonly requests: FetchRequest[] = []
  /** Bytes of the one batch that each partition holds, or its error. */
  readonly holds: readonly (number | 'error')[]

  constructor(holds: readonly (number | 'error')[]) {
    this.holds = holds
  }

  request(_leader: number, _api: unknown, request: FetchRequest) {
    this.requests.push(request)
    let left = request.partitions.reduce((sum, { maxBytes }) => sum + maxBytes, 0)
    let at = 8
    const partitions = request.partitions.map(({ partition, maxBytes }): FetchedPartition => {
      const held = this.holds[partition] ?? 0
      const bytes = held === 'error' ? 0 : held
      const fits = bytes <= Math.min(left, maxBytes) || at === 8
      const end = at + (fits ? bytes : 0)
      const records = { start: at, end }
      left = Math.max(0, left - (end - at))
      at = end
      return { partition, code: held === 'error' ? 6 : 0, highWatermark: bytes > 0 ? 1 : 0, aborted: [], records }
    })
    return Promise.resolve({ response: { code: 0, partitions }, frame: Buffer.alloc(at) })
  }
}

const fetchesOver = (broker: Pick<Broker, 'request'>) => {
  const frames = new FramePool(0)
  const cluster = broker as unknown as KafkaCluster
  return {
    frames,
    fetches: new SharedFetches({ cluster, frames, isolation: 'read_committed', fetchMaxBytes: FETCH_MAX_BYTES }),
  }
}

const fetchOf = (partition: number, maxBytes = 10) => ({ partition, leaderEpoch: 0, offset: 0, maxBytes })

describe('what is asked of a leader in one turn', () => {
  it('goes to it in one request', async () => {
    const broker = new Broker(Array<number>(50).fill(10))
    const { fetches } = fetchesOver(broker)
    const answers = await Promise.all(broker.holds.map((_, partition) => fetches.fetch(TARGET, fetchOf(partition))))
    expect(answers.map(({ answer }) => answer.partition)).toEqual(broker.holds.map((_, partition) => partition))
    expect(broker.requests.length).toBe(1)
  })

  it('brings each partition what it holds, however it fits into answers, and frames are lent until all gave them back', async () => {
    const held = fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.constant('error' as const))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(held, fc.integer({ min: 1, max: 1500 })), { maxLength: 30 }), async wanted => {
        const broker = new Broker(wanted.map(([holds]) => holds))
        const { fetches, frames } = fetchesOver(broker)
        const all = wanted.map(([, maxBytes], partition) => fetches.fetch(TARGET, fetchOf(partition, maxBytes)))
        for (const [partition, { answer, frame }] of (await Promise.all(all)).entries()) {
          const holds = broker.holds[partition]
          expect(answer.code === 0 ? answer.records.end - answer.records.start : 'error').toBe(holds)
          expect(answer.records.end).toBeLessThanOrEqual(Math.max(frame.length, answer.records.start))
          if (answer.records.end > answer.records.start) expect(frames.lentBytes).toBeGreaterThan(0)
          frames.give(frame)
        }
        expect(frames.lentBytes).toBe(0)
        for (const { partitions } of broker.requests) {
          const bytes = partitions.reduce((sum, { maxBytes }) => sum + maxBytes, 0)
          expect(partitions.length === 1 || bytes <= FETCH_MAX_BYTES).toBe(true)
        }
      }),
    )
  })

  it('asks for a partition once in each request', async () => {
    const broker = new Broker([10])
    const { fetches } = fetchesOver(broker)
    const answers = await Promise.all([fetches.fetch(TARGET, fetchOf(0)), fetches.fetch(TARGET, fetchOf(0))])
    expect(answers.map(({ answer }) => answer.records.end - answer.records.start)).toEqual([10, 10])
    expect(broker.requests.map(({ partitions }) => partitions.length)).toEqual([1, 1])
  })

  it('fails together where the request fails', async () => {
    const { fetches } = fetchesOver({ request: () => Promise.reject(new Error('the broker is gone')) })
    const outcomes = await Promise.allSettled([0, 1].map(partition => fetches.fetch(TARGET, fetchOf(partition))))
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  })
})
