import { MillraceError } from '../../src/base/errors.ts'
import { CODE } from '../../src/kafka/broker-codes.ts'
import type { BrokerAddress, BrokerConnection } from '../../src/kafka/connection.ts'
import { INIT_PRODUCER_ID, PRODUCE, type ProduceRequest } from '../../src/kafka/produce-requests.ts'
import { METADATA } from '../../src/kafka/requests.ts'

/** What happens to one request for records. */
export type Fault =
  | { readonly kind: 'request lost' }
  | { readonly kind: 'answer lost' }
  | { readonly kind: 'code'; readonly code: number /** All partitions without it. */; readonly only?: number }
  | { readonly kind: 'leader moves' }
  | { readonly kind: 'producers forgotten' }
  | { readonly kind: 'throttled'; readonly ms: number }

/** A record batch as it was appended: how many records, of whom, from which place on. */
export interface Appended {
  readonly producerId: number
  readonly sequence: number
  readonly count: number
  readonly bytes: Buffer
}

/** Two brokers which keep the rules of idempotent producers as Kafka's do, and to which things happen in order. */
export class ScriptedProducerBrokers {
  readonly partitions: number
  readonly logs: readonly Appended[][]
  /** Every batch that arrived, appended or not. */
  readonly arrived: Appended[] = []
  readonly faults: Fault[] = []
  producers = 0
  #leader = 1
  #inFlight = 0
  mostInFlight = 0
  /** Where a producer stands, by partition. */
  readonly #expected = new Map<string, number>()

  constructor(partitions: number) {
    this.partitions = partitions
    this.logs = Array.from({ length: partitions }, () => [])
  }

  readonly connect = async ({ host, port }: BrokerAddress): Promise<BrokerConnection> => {
    let open = true
    const lost = (): MillraceError => {
      open = false
      return new MillraceError('BROKER_UNREACHABLE', `${host}:${port} hung up`, { remedy: 'Wait.' })
    }
    return {
      address: `${host}:${port}`,
      get open() {
        return open
      },
      close: () => undefined,
      request: async (api, request) => {
        if (!open) throw lost()
        const response = await this.#answer(port, api.key, request, lost)
        return { response: response as never, frame: Buffer.alloc(0) }
      },
    }
  }

  async #answer(broker: number, key: number, request: unknown, lost: () => MillraceError): Promise<unknown> {
    if (key === METADATA.key) return this.#metadata()
    if (key === INIT_PRODUCER_ID.key) return { code: CODE.none, id: ++this.producers, epoch: 0 }
    if (key !== PRODUCE.key) throw new TypeError(`request ${key} is not in the script`)
    this.#inFlight += 1
    this.mostInFlight = Math.max(this.mostInFlight, this.#inFlight)
    await Promise.resolve()
    this.#inFlight -= 1
    return this.#produce(broker, request as ProduceRequest, lost)
  }

  #metadata() {
    const brokers = [1, 2].map(id => ({ id, host: 'kafka', port: id }))
    const partitions = this.logs.map((_, partition) => ({
      code: 0,
      partition,
      leader: this.#leader,
      leaderEpoch: 1,
    }))
    return { brokers, topics: [{ code: 0, name: 't', id: 'a'.repeat(32), partitions }] }
  }

  #produce(broker: number, { partitions }: ProduceRequest, lost: () => MillraceError) {
    const fault = this.faults.shift()
    if (fault?.kind === 'request lost') throw lost()
    if (fault?.kind === 'leader moves') this.#leader = 3 - this.#leader
    if (fault?.kind === 'producers forgotten') this.#expected.clear()
    const answers = partitions.map(({ partition, batch }) => {
      const refusal =
        broker === this.#leader
          ? fault?.kind === 'code' && (fault.only ?? partition) === partition
            ? fault.code
            : null
          : CODE.notLeaderOrFollower
      return { partition, code: refusal ?? this.#append(partition, Buffer.from(batch)), message: null }
    })
    if (fault?.kind === 'answer lost') throw lost()
    return { partitions: answers, throttleMs: fault?.kind === 'throttled' ? fault.ms : 0 }
  }

  #append(partition: number, bytes: Buffer): number {
    const batch = {
      producerId: Number(bytes.readBigInt64BE(43)),
      sequence: bytes.readInt32BE(53),
      count: bytes.readInt32BE(57),
      bytes,
    }
    this.arrived.push(batch)
    const key = `${batch.producerId}/${partition}`
    const expected = this.#expected.get(key)
    // a producer that is not known may begin anywhere but is taken for one that lost its place here
    if (expected === undefined && batch.sequence > 0) return CODE.unknownProducerId
    if (batch.sequence < (expected ?? 0)) return CODE.duplicateSequenceNumber
    if (batch.sequence > (expected ?? 0)) return CODE.outOfOrderSequenceNumber
    this.#expected.set(key, batch.sequence + batch.count)
    this.logs[partition]?.push(batch)
    return CODE.none
  }
}
