import type { KafkaCluster } from '../../kafka/cluster.ts'
import { FETCH, type FetchedPartition, type PartitionFetch } from '../../kafka/fetch-request.ts'
import type { FramePool } from '../../kafka/frame-pool.ts'
import type { Isolation } from '../../kafka/requests.ts'

export interface SharedFetchOptions {
  readonly cluster: KafkaCluster
  readonly frames: FramePool
  readonly isolation: Isolation
  /** Bytes that one request asks for, unless one partition alone is asked for more. */
  readonly fetchMaxBytes: number
}

/** Whom partitions are asked of, and how. */
export interface FetchTarget {
  readonly leader: number
  readonly topicId: string
  readonly maxWaitMs: number
}

/** What came of one partition. Its records lie in the frame, which is lent: `FramePool.give` takes it back. */
export interface PartitionAnswer {
  readonly answer: FetchedPartition
  readonly frame: Buffer
}

interface Waiting {
  readonly fetch: PartitionFetch
  readonly resolve: (answer: PartitionAnswer) => void
  readonly reject: (error: unknown) => void
}

/**
 * What is asked of one leader in the same turn goes to it in one request: a request costs a tenth of a millisecond and more,
 * whatever it brings, and many partitions bring little each. Each still gets an answer, or an error, of its own.
 */
export class SharedFetches {
  readonly #options: SharedFetchOptions
  readonly #waiting = new Map<string, Waiting[]>()

  constructor(options: SharedFetchOptions) {
    this.#options = options
  }

  /** @throws what the request throws; an error code of the partition is in the answer */
  fetch(target: FetchTarget, fetch: PartitionFetch): Promise<PartitionAnswer> {
    return new Promise((resolve, reject) => {
      const key = `${target.leader} ${target.topicId} ${target.maxWaitMs}`
      const together = this.#waiting.get(key) ?? []
      together.push({ fetch, resolve, reject })
      if (together.length > 1) return
      this.#waiting.set(key, together)
      // once everything that can go on without waiting has said what it wants
      process.nextTick(() => {
        this.#waiting.delete(key)
        this.#send(target, together)
      })
    })
  }

  #send(target: FetchTarget, waiting: readonly Waiting[]): void {
    for (const together of packed(waiting, this.#options.fetchMaxBytes)) void this.#request(target, together)
  }

  async #request(target: FetchTarget, together: readonly Waiting[]): Promise<void> {
    const { cluster, isolation } = this.#options
    const { leader, topicId, maxWaitMs } = target
    const partitions = together.map(({ fetch }) => fetch)
    try {
      const { response, frame } = await cluster.request(leader, FETCH, { isolation, topicId, maxWaitMs, partitions })
      const answerOf = new Map(response.partitions.map(answer => [answer.partition, answer]))
      const none = { code: response.code, highWatermark: -1, aborted: [], records: { start: 0, end: 0 } }
      const answers = partitions.map(({ partition }) => answerOf.get(partition) ?? { ...none, partition })
      this.#deliver(target, together, answers, frame)
    } catch (error) {
      for (const { reject } of together) reject(error)
    }
  }

  /** Those that found no room behind the others are asked for again: the first of them comes first then. */
  #deliver(
    target: FetchTarget,
    together: readonly Waiting[],
    answers: readonly FetchedPartition[],
    frame: Buffer,
  ): void {
    const { frames } = this.#options
    const filled = answers.filter(isFilled).length
    frames.lend(frame, filled)
    const withoutRoom: Waiting[] = []
    together.forEach((waiting, at) => {
      const answer = answers[at] as FetchedPartition
      const more = answer.code === 0 && answer.highWatermark > waiting.fetch.offset
      if (isFilled(answer)) waiting.resolve({ answer, frame })
      else if (filled > 0 && more) withoutRoom.push(waiting)
      else waiting.resolve({ answer, frame: NOTHING })
    })
    if (withoutRoom.length > 0) this.#send(target, withoutRoom)
  }
}

const NOTHING = Buffer.alloc(0)

const isFilled = ({ records }: FetchedPartition): boolean => records.end > records.start

/** Requests of `maxBytes` at most, each with a partition once. */
const packed = (waiting: readonly Waiting[], maxBytes: number): readonly (readonly Waiting[])[] => {
  const requests: Waiting[][] = []
  let last: Waiting[] = []
  let bytes = Infinity
  for (const each of waiting) {
    const { partition, maxBytes: wanted } = each.fetch
    if (bytes + wanted > maxBytes || last.some(({ fetch }) => fetch.partition === partition)) {
      last = []
      bytes = 0
      requests.push(last)
    }
    last.push(each)
    bytes += wanted
  }
  return requests
}
