import type { Clock } from '../base/clock.ts'
import { asMillraceError, MillraceError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import { type DurationMs, durationMs } from '../base/units.ts'
import { CODE, isTopicUnknownCode, nameOfCode } from './broker-codes.ts'
import type { Answer, BrokerAddress, BrokerConnection, Connect } from './connection.ts'
import { type Api, METADATA, type MetadataResponse } from './requests.ts'

/** Who leads a partition, and for the how manieth time somebody was elected. */
export interface PartitionLeader {
  readonly partition: number
  /** Broker id; -1 while nobody leads. */
  readonly leader: number
  readonly leaderEpoch: number
}

/** One incarnation of a topic: a topic that is deleted and created anew has another id. */
export interface TopicLayout {
  readonly name: string
  readonly id: string
  /** By partition number. */
  readonly partitions: ReadonlyMap<number, PartitionLeader>
}

export interface ClusterOptions {
  /** Bootstrap servers `host:port`. */
  readonly brokers: readonly string[]
  readonly connect: Connect
  readonly clock: Clock
  readonly random: Random
  /** How long failures are taken for passing ones; without it a minute, but seconds before the cluster was ever reached. */
  readonly patienceMs?: DurationMs
}

/** How long failures are taken for passing ones: at first contact, where a typing error is likelier, and later. */
const PATIENCE_AT_FIRST_MS = 5_000
const PATIENCE_MS = 60_000
const FIRST_BACKOFF_MS = 50
const MAX_BACKOFF_MS = 2_000
/** A topic that was just created, or a broker that just started, may not be known everywhere yet. */
const UNKNOWN_TOPIC_PATIENCE_MS = 1_000

/** Pooled connections to the brokers of a cluster, one for each, and what is known of who leads what. */
export class KafkaCluster {
  readonly #options: ClusterOptions
  readonly #bootstrap: readonly BrokerAddress[]
  readonly #connections = new Map<string, Promise<BrokerConnection>>()
  readonly #topics = new Map<string, TopicLayout>()
  readonly #asked = new Map<string, Promise<TopicLayout>>()
  #brokers = new Map<number, BrokerAddress>()
  #reachedOnce = false
  #closed = false

  /** @throws INVALID_CONFIG where an address is not `host:port` */
  constructor(options: ClusterOptions) {
    this.#options = options
    this.#bootstrap = options.brokers.map(parseAddress)
  }

  /** What is known of a topic; asks the cluster where nothing is, once for all who want to know. @throws as `refresh` */
  async topic(name: string): Promise<TopicLayout> {
    const known = this.#topics.get(name) ?? this.#asked.get(name)
    if (known !== undefined) return known
    const asked = this.refresh(name).finally(() => this.#asked.delete(name))
    this.#asked.set(name, asked)
    return asked
  }

  /** Asks the cluster who leads the partitions of a topic. @throws UNKNOWN_TOPIC, BROKER_UNREACHABLE, BROKER_TIMEOUT */
  async refresh(name: string): Promise<TopicLayout> {
    const startedAt = this.#options.clock.monotonicMs()
    return this.patiently(async () => {
      const { response } = await this.#requestAny(METADATA, { topic: name })
      this.#brokers = new Map(response.brokers.map(broker => [broker.id, broker]))
      try {
        const layout = layoutOf(name, response)
        this.#topics.set(name, layout)
        return layout
      } catch (error) {
        const waited = this.#options.clock.monotonicMs() - startedAt
        if (asMillraceError(error).code === 'UNKNOWN_TOPIC' && waited < UNKNOWN_TOPIC_PATIENCE_MS) {
          throw new PassingFailure(asMillraceError(error))
        }
        throw error
      }
    })
  }

  /** Makes the next `topic` ask again: what was known turned out to be wrong. */
  forget(name: string): void {
    this.#topics.delete(name)
  }

  /** Sends a request to one broker of the cluster. @throws what connecting and the request throw */
  async request<Request, Response>(broker: number, api: Api<Request, Response>, request: Request) {
    const address = this.#brokers.get(broker)
    if (address === undefined) throw noLeader(broker)
    return this.#requestAt(address, api, request)
  }

  /** Sends a request to whichever broker answers. */
  async requestAny<Request, Response>(api: Api<Request, Response>, request: Request): Promise<Answer<Response>> {
    return this.#requestAny(api, request)
  }

  /** Sends a request to an address that another answer named (a group's coordinator). */
  async requestTo<Request, Response>(to: BrokerAddress, api: Api<Request, Response>, request: Request) {
    return this.#requestAt(to, api, request)
  }

  /** Repeats `work` with growing pauses and jitter as long as it fails with a retriable error and patience lasts. */
  async patiently<Result>(work: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    const { clock, random } = this.#options
    const startedAt = clock.monotonicMs()
    for (let failures = 0; ; failures += 1) {
      try {
        return await work()
      } catch (thrown) {
        const error = thrown instanceof PassingFailure ? thrown.error : asMillraceError(thrown)
        const patience = this.#options.patienceMs ?? (this.#reachedOnce ? PATIENCE_MS : PATIENCE_AT_FIRST_MS)
        const waited = clock.monotonicMs() - startedAt
        const passing = thrown instanceof PassingFailure || error.retriable
        if (!passing || this.#closed || waited >= patience) throw error
        const pause = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** failures) * (0.5 + random.next() / 2)
        await clock.sleep(durationMs(pause), signal)
      }
    }
  }

  close(): void {
    this.#closed = true
    for (const connecting of this.#connections.values()) {
      connecting.then(
        connection => connection.close(),
        () => undefined,
      )
    }
    this.#connections.clear()
  }

  async #requestAny<Request, Response>(api: Api<Request, Response>, request: Request): Promise<Answer<Response>> {
    const known = [...this.#brokers.values()]
    const failures: string[] = []
    let last: MillraceError | null = null
    for (const address of [...known, ...this.#bootstrap]) {
      try {
        const answer = await this.#requestAt(address, api, request)
        this.#reachedOnce = true
        return answer
      } catch (error) {
        last = asMillraceError(error)
        if (!last.retriable) throw last
        failures.push(last.message)
      }
    }
    throw new MillraceError(last?.code ?? 'BROKER_UNREACHABLE', `no broker answers: ${failures.join('; ')}`, {
      remedy: 'Check that Kafka runs and that kafka.brokers names it; raise kafka.requestTimeout if it is only slow.',
      details: { brokers: this.#options.brokers.join(',') },
      cause: last,
    })
  }

  async #requestAt<Request, Response>(to: BrokerAddress, api: Api<Request, Response>, request: Request) {
    const connection = await this.#connectionTo(to)
    return connection.request(api, request)
  }

  async #connectionTo(to: BrokerAddress): Promise<BrokerConnection> {
    if (this.#closed) throw closedAlready()
    const key = `${to.host}:${to.port}`
    const pooled = this.#connections.get(key)
    if (pooled !== undefined) {
      const connection = await pooled
      if (connection.open) return connection
      // somebody else may have put a fresh one there while this waited
      if (this.#connections.get(key) !== pooled) return this.#connectionTo(to)
    }
    const connecting = this.#options.connect(to)
    this.#connections.set(key, connecting)
    try {
      return await connecting
    } catch (error) {
      if (this.#connections.get(key) === connecting) this.#connections.delete(key)
      throw error
    }
  }
}

/** An error that is not retriable by its kind, but perhaps a passing one here. */
class PassingFailure extends Error {
  readonly error: MillraceError
  constructor(error: MillraceError) {
    super(error.message)
    this.error = error
  }
}

const layoutOf = (name: string, { topics }: MetadataResponse): TopicLayout => {
  const topic = topics.find(each => each.name === name)
  if (topic === undefined || isTopicUnknownCode(topic.code)) throw unknownTopic(name)
  if (topic.code === CODE.topicAuthorizationFailed) {
    throw new MillraceError('BROKER_ERROR', `looking at topic ${name} is not allowed: ${nameOfCode(topic.code)}`, {
      remedy: 'Give the client the right to describe the topic, and to read or write it.',
      details: { topic: name },
    })
  }
  if (topic.code !== CODE.none) {
    throw new MillraceError('LEADER_CHANGED', `topic ${name} can't be used now: ${nameOfCode(topic.code)}`, {
      remedy: 'Check the state of the topic and of its brokers.',
      details: { topic: name },
    })
  }
  return { name, id: topic.id, partitions: new Map(topic.partitions.map(each => [each.partition, each])) }
}

/** The topic does not exist, or no longer. */
export const unknownTopic = (topic: string): MillraceError =>
  new MillraceError('UNKNOWN_TOPIC', `topic ${topic} does not exist`, {
    remedy: 'Check the name and the brokers, or create the topic; Millrace never creates it.',
    details: { topic },
  })

const noLeader = (broker: number): MillraceError =>
  new MillraceError('LEADER_CHANGED', `broker ${broker} is not in the cluster now`, {
    remedy: 'Check that all brokers run: a partition without a leader can not be used.',
    details: { broker },
  })

const closedAlready = (): MillraceError =>
  new MillraceError('ABORTED', 'the client is closed', { remedy: 'Nothing: a stop was asked for.' })

const parseAddress = (text: string): BrokerAddress => {
  const match = /^(?:[A-Z_]+:\/\/)?(\[[0-9a-fA-F:]+\]|[^:/]+):(\d{1,5})$/.exec(text.trim())
  const port = Number(match?.[2])
  if (match?.[1] === undefined || !(port > 0 && port < 65_536)) {
    throw new MillraceError('INVALID_CONFIG', `${JSON.stringify(text)} is not the address of a broker`, {
      remedy: 'Write kafka.brokers as host:port, several separated by commas.',
    })
  }
  return { host: match[1].replace(/^\[|\]$/g, ''), port }
}
