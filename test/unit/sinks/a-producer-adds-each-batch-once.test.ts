import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MillraceError } from '../../../src/base/errors.ts'
import { seededRandom } from '../../../src/base/random.ts'
import { durationMs } from '../../../src/base/units.ts'
import { CODE } from '../../../src/kafka/broker-codes.ts'
import { KafkaCluster } from '../../../src/kafka/cluster.ts'
import { INIT_PRODUCER_ID, PRODUCE } from '../../../src/kafka/produce-requests.ts'
import { readResponse } from '../../../src/kafka/requests.ts'
import { WireWriter } from '../../../src/kafka/wire-writer.ts'
import { cutRequests } from '../../../src/sinks/kafka/cut-requests.ts'
import { IdempotentProducer } from '../../../src/sinks/kafka/idempotent-producer.ts'
import { messagesOf } from '../../support/messages.ts'
import { type Appended, type Fault, ScriptedProducerBrokers } from '../../support/scripted-producer-brokers.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const producerOver = (brokers: ScriptedProducerBrokers) => {
  const clock = new VirtualClock()
  const cluster = new KafkaCluster({
    brokers: ['kafka:1', 'kafka:2'],
    connect: brokers.connect,
    clock,
    random: seededRandom(1),
    patienceMs: durationMs(120_000),
  })
  const producer = new IdempotentProducer({
    cluster,
    topic: 't',
    compression: 'none',
    timeoutMs: durationMs(1000),
    clock,
  })
  return { producer, clock }
}

/** The records of one request, `count` of them from index `from` on, over all partitions. */
const recordsOf = (from: number, count: number, partitions: number) => {
  const messages = messagesOf(
    Array.from({ length: count }, (_, at) => ({ key: Buffer.from(`k${from + at}`), value: Buffer.from('v') })),
  )
  const options = { partitions, maxRequestBytes: 1_000_000, timestamp: 1 }
  const [request] = [...cutRequests({ messages, firstIndex: from, idPrefix: 'p/s/1/1', batchId: 1 }, options)]
  return request ?? new Map()
}

const idsIn = (log: readonly Appended[]): readonly number[] =>
  log.flatMap(({ bytes }) =>
    [...bytes.toString('latin1').matchAll(/p\/s\/1\/1\/(\d+)/g)].map(match => Number(match[1])),
  )

const PASSING_CODES = [
  CODE.notLeaderOrFollower,
  CODE.leaderNotAvailable,
  CODE.requestTimedOut,
  CODE.notEnoughReplicas,
  CODE.kafkaStorageError,
  CODE.unknownTopicOrPartition,
]
const PARTITIONS = 3
const passing = fc.oneof<fc.Arbitrary<Fault>[]>(
  fc.constant({ kind: 'request lost' }),
  fc.constant({ kind: 'answer lost' }),
  fc.constant({ kind: 'leader moves' }),
  fc.record({
    kind: fc.constant('code' as const),
    code: fc.constantFrom(...PASSING_CODES),
    only: fc.nat(PARTITIONS - 1),
  }),
  fc.record({ kind: fc.constant('throttled' as const), ms: fc.nat(5000) }),
)
const forgetting = fc.oneof(
  passing,
  fc.constant<Fault>({ kind: 'producers forgotten' }),
  fc.record({
    kind: fc.constant('code' as const),
    code: fc.constantFrom(CODE.outOfOrderSequenceNumber, CODE.unknownProducerId, CODE.invalidProducerEpoch),
  }),
)
const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 6 })

const sendAll = async (brokers: ScriptedProducerBrokers, requests: readonly number[]): Promise<number> => {
  const { producer } = producerOver(brokers)
  let sent = 0
  for (const count of requests) {
    await producer.send(recordsOf(sent, count, PARTITIONS))
    sent += count
  }
  return sent
}

const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, at) => at)
const rising = (ids: readonly number[]): readonly number[] => ids.toSorted((a, b) => a - b)

describe('a producer', () => {
  it('adds each record once and in order, whatever requests and answers are lost and whoever leads', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.array(passing, { maxLength: 12 }), async (requests, faults) => {
        const brokers = new ScriptedProducerBrokers(PARTITIONS)
        brokers.faults.push(...faults)
        const sent = await sendAll(brokers, requests)
        const logs = brokers.logs.map(idsIn)
        expect(rising(logs.flat())).toEqual(upTo(sent))
        for (const log of logs) expect(log).toEqual(rising(log))
        expect(brokers.producers).toBe(1)
        expect(brokers.mostInFlight).toBe(1)
      }),
    )
  })

  it('goes on as another one where brokers have lost its place, and loses nothing', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.array(forgetting, { maxLength: 12 }), async (requests, faults) => {
        const brokers = new ScriptedProducerBrokers(PARTITIONS)
        brokers.faults.push(...faults)
        const sent = await sendAll(brokers, requests)
        for (const log of brokers.logs.map(idsIn)) {
          // first appearances are in order
          const first = [...new Set(log)]
          expect(first).toEqual(rising(first))
        }
        expect(rising([...new Set(brokers.logs.flatMap(idsIn))])).toEqual(upTo(sent))
      }),
    )
  })

  it('sends what was lost again with the same bytes', async () => {
    const brokers = new ScriptedProducerBrokers(1)
    brokers.faults.push({ kind: 'answer lost' }, { kind: 'answer lost' })
    await producerOver(brokers).producer.send(recordsOf(0, 10, 1))
    expect(brokers.arrived).toHaveLength(3)
    expect(brokers.arrived[1]).toEqual(brokers.arrived[0])
    expect(brokers.arrived[2]).toEqual(brokers.arrived[0])
    expect(brokers.logs[0]).toHaveLength(1)
  })

  it('never sends other records under the numbers of a request that was given up', async () => {
    const brokers = new ScriptedProducerBrokers(1)
    const { producer } = producerOver(brokers)
    await producer.send(recordsOf(0, 10, 1))
    // it arrives, and nobody hears of it
    const silence = Array.from({ length: 1000 }, (): Fault => ({ kind: 'answer lost' }))
    brokers.faults.push(...silence)
    await expect(producer.send(recordsOf(10, 5, 1))).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' })
    brokers.faults.length = 0
    await producer.send(recordsOf(20, 5, 1))
    expect(idsIn(brokers.logs[0] ?? [])).toEqual([...upTo(15), 20, 21, 22, 23, 24])
  })

  it('keeps silent for as long as a broker asks', async () => {
    const brokers = new ScriptedProducerBrokers(1)
    const { producer, clock } = producerOver(brokers)
    brokers.faults.push({ kind: 'throttled', ms: 700 })
    await producer.send(recordsOf(0, 1, 1))
    const before = clock.monotonicMs()
    await producer.send(recordsOf(1, 1, 1))
    expect(clock.monotonicMs() - before).toBe(700)
  })

  it.each([
    ['messageTooLarge', 'RECORD_TOO_LARGE', /max\.message\.bytes/],
    ['topicAuthorizationFailed', 'BROKER_ERROR', /may write the topic/],
    ['clusterAuthorizationFailed', 'BROKER_ERROR', /for idempotence, the cluster/],
  ] as const)('gives up at once where a broker says %s', async (name, code, remedy) => {
    const brokers = new ScriptedProducerBrokers(1)
    brokers.faults.push({ kind: 'code', code: CODE[name] })
    const error = await producerOver(brokers)
      .producer.send(recordsOf(0, 1, 1))
      .then(
        () => null,
        (thrown: unknown) => thrown as MillraceError,
      )
    expect(error).toMatchObject({ code, remedy: expect.stringMatching(remedy) as string, details: { topic: 't' } })
    expect(brokers.faults).toEqual([])
    expect(brokers.arrived).toEqual([])
  })

  it.each(['notEnoughReplicas', 'requestTimedOut', 'outOfOrderSequenceNumber'] as const)(
    'gives up when %s lasts longer than its patience',
    async name => {
      const brokers = new ScriptedProducerBrokers(1)
      const lasting = Array.from({ length: 1000 }, (): Fault => ({ kind: 'code', code: CODE[name] }))
      brokers.faults.push(...lasting)
      const { producer, clock } = producerOver(brokers)
      const before = clock.monotonicMs()
      await expect(producer.send(recordsOf(0, 1, 1))).rejects.toMatchObject({ retriable: true })
      expect(clock.monotonicMs() - before).toBeGreaterThanOrEqual(120_000)
      expect(brokers.arrived).toEqual([])
    },
  )
})

describe('an answer of a broker', () => {
  const frameOf = (write: (out: WireWriter) => void): Buffer => {
    const out = new WireWriter().int32(1).noTags()
    write(out)
    return out.framed().subarray(4)
  }
  const produced = frameOf(out =>
    out
      .compactArray(['t'], topic =>
        out
          .compactString(topic)
          .compactArray([0, 1], partition =>
            out
              .int32(partition)
              .int16(87)
              .int64(-1)
              .int64(-1)
              .int64(-1)
              .compactArray([4], at => out.int32(at).compactString('bad record').noTags())
              .compactString('no')
              .noTags(),
          )
          .noTags(),
      )
      .int32(250)
      .noTags(),
  )
  const identified = frameOf(out => out.int32(0).int16(0).int64(4_000_000_000_001).int16(3).noTags())

  it('is read whole', () => {
    expect(readResponse(PRODUCE, produced)).toEqual({
      partitions: [0, 1].map(partition => ({ partition, code: 87, message: 'no' })),
      throttleMs: 250,
    })
    expect(readResponse(INIT_PRODUCER_ID, identified)).toEqual({ code: 0, id: 4_000_000_000_001, epoch: 3 })
  })

  it('that is cut off or flipped is read or refused by name, never more', () => {
    fc.assert(
      fc.property(fc.constantFrom(produced, identified), fc.nat(), fc.nat(7), fc.nat(), (frame, at, bit, length) => {
        const bytes = Buffer.from(frame.subarray(0, 4 + (length % (frame.length - 3))))
        bytes.writeUInt8(bytes.readUInt8(at % bytes.length) ^ (1 << bit), at % bytes.length)
        for (const api of [PRODUCE, INIT_PRODUCER_ID]) {
          try {
            readResponse<unknown>(api, bytes)
          } catch (error) {
            expect(error).toBeInstanceOf(MillraceError)
            expect(error).toMatchObject({ code: 'BROKER_ERROR' })
          }
        }
      }),
      { numRuns: 2000 },
    )
  })
})
