import { createRequire } from 'node:module'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Kernels } from '../../../src/columnar/kernels.ts'
import { typescriptKernels } from '../../../src/columnar/typescript/index.ts'
import { findBatches } from '../../../src/ingest/kafka/fetched-batches.ts'
import { RecordBatches } from '../../../src/ingest/kafka/record-batches.ts'
import { cutRequests, maxMessageBytes } from '../../../src/sinks/kafka/cut-requests.ts'
import { murmur2, partitionOfKey } from '../../../src/sinks/kafka/murmur2.ts'
import type { Compression } from '../../../src/sinks/kafka/record-batch-builder.ts'
import { type Message, messagesOf } from '../../support/messages.ts'

const OF = { topic: 't', partition: 0 }
const TIMESTAMP = 1_768_471_200_000

interface Read {
  readonly key: string | null
  readonly value: string | null
  readonly id: string
  readonly timestamp: number
}

const readBack = (frame: Buffer, kernels: Kernels = typescriptKernels): readonly Read[] => {
  const fetched = findBatches(OF, frame, { start: 0, end: frame.length }, [], 0)
  const batches = new RecordBatches({ isolation: 'read_committed', maxDecompressedBytes: 1 << 24, kernels })
  return [...batches.read(OF, fetched, { from: 0, until: fetched.next })].flatMap(batch => {
    const text = (at = 0, length = -1) =>
      length < 0 ? null : Buffer.from(batch.arena.subarray(at, at + length)).toString('latin1')
    return Array.from({ length: batch.count }, (_, row) => {
      const header = text(batch.headersStart[row], batch.headersLength[row]) ?? ''
      return {
        key: text(batch.keyStart[row], batch.keyLength[row]),
        value: text(batch.valueStart[row], batch.valueLength[row]),
        // one header: the number of them, the length of its name, the name, the length of the id
        id: header.slice(header.indexOf('p/')),
        timestamp: batch.timestamps[row] as number,
      }
    })
  })
}

const bytes = (maxLength: number) => fc.option(fc.uint8Array({ maxLength }).map(each => Buffer.from(each)))
const message: fc.Arbitrary<Message> = fc.record({ key: bytes(90), value: bytes(300) })
const compression = fc.constantFrom<Compression>('none', 'gzip')

const cut = (written: readonly Message[], partitions: number, maxRequestBytes: number, firstIndex: number) =>
  cutRequests(
    { messages: messagesOf(written), firstIndex, idPrefix: 'p/rows/3/7', batchId: 7 },
    { partitions, maxRequestBytes, timestamp: TIMESTAMP },
  )

const latin1 = (part: Buffer | null): string | null => part?.toString('latin1') ?? null

describe('rows for a topic', () => {
  it('are read back as they were written, each once, within the limit, by key and in order', () => {
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 600, max: 5000 }),
        fc.integer({ min: 0, max: 20_000_000_000 }),
        compression,
        (written, partitions, maxRequestBytes, firstIndex, codec) => {
          const requests = [...cut(written, partitions, maxRequestBytes, firstIndex)].map(request =>
            [...request].map(([partition, records]) => {
              const batch = Buffer.from(records.seal({ id: 5, epoch: 1 }, 17, codec))
              expect(batch.length).toBeLessThanOrEqual(maxRequestBytes)
              return { partition, batch, read: readBack(batch) }
            }),
          )
          // in the order of their indices, which the batches of each partition keep
          const read = requests.flat().flatMap(({ partition, read: rows }) => rows.map(row => ({ ...row, partition })))
          const indexOf = ({ id }: Read): number => Number(id.slice('p/rows/3/7/'.length))
          for (let partition = 0; partition < partitions; partition += 1) {
            const own = read.filter(row => row.partition === partition).map(indexOf)
            expect(own).toEqual(own.toSorted((a, b) => a - b))
          }
          expect(read.toSorted((a, b) => indexOf(a) - indexOf(b))).toEqual(
            written.map(({ key, value }, at) => ({
              key: latin1(key),
              value: latin1(value),
              id: `p/rows/3/7/${firstIndex + at}`,
              timestamp: TIMESTAMP,
              partition:
                key === null
                  ? (7 + Math.floor((firstIndex + at) / 512)) % partitions
                  : partitionOfKey(key, 0, key.length, partitions),
            })),
          )
        },
      ),
    )
  })

  it('are the same to the byte when they are sealed again', () => {
    const [request] = [...cut([{ key: null, value: Buffer.alloc(1000) }], 1, 100_000, 0)]
    const records = request?.get(0)
    for (const codec of ['none', 'gzip'] as const) {
      const seal = () => Buffer.from(records?.seal({ id: 5, epoch: 1 }, 17, codec) ?? [])
      expect(seal()).toEqual(seal())
    }
  })

  it('stay uncompressed where gzip makes them larger, so that the limit holds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 30_000 }), value => {
        const [request] = [...cut([{ key: null, value: Buffer.from(value) }], 1, 100_000, 0)]
        const size = (codec: Compression) => request?.get(0)?.seal({ id: 1, epoch: 0 }, 0, codec).length ?? 0
        expect(size('gzip')).toBeLessThanOrEqual(size('none'))
      }),
      { numRuns: 30 },
    )
  })

  it('fit alone where their key and value have the size that is allowed, whatever their id', () => {
    const limit = 1000
    const value = Buffer.alloc(maxMessageBytes(limit))
    const published = { messages: messagesOf([{ key: Buffer.alloc(0), value }]), batchId: Number.MAX_SAFE_INTEGER }
    const idPrefix = `${'p'.repeat(100)}/${'s'.repeat(210)}/${Number.MAX_SAFE_INTEGER}/${Number.MAX_SAFE_INTEGER}`
    const [request] = [
      ...cutRequests(
        { ...published, idPrefix, firstIndex: Number.MAX_SAFE_INTEGER },
        { partitions: 1, maxRequestBytes: limit, timestamp: TIMESTAMP },
      ),
    ]
    expect(request?.get(0)?.seal({ id: 1, epoch: 0 }, 0, 'none').length).toBeLessThanOrEqual(limit)
  })
})

it('keys go where the partitioner of kafkajs, which is that of Java, sends them', () => {
  const theirs = createRequire(import.meta.url)('kafkajs/src/producer/partitioners/default/murmur2.js') as (
    key: Buffer,
  ) => number
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(10), (key, before) => {
      const within = Buffer.concat([Buffer.alloc(before, 9), key, Buffer.alloc(3, 7)])
      expect(murmur2(within, before, before + key.length)).toBe(theirs(Buffer.from(key)))
    }),
  )
})
