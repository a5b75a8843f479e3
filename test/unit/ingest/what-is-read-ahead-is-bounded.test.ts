import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { offset } from '../../../src/base/units.ts'
import { typescriptKernels } from '../../../src/columnar/typescript/index.ts'
import { type FetchedBatches, findBatches, restOf } from '../../../src/ingest/kafka/fetched-batches.ts'
import type { PartitionFetcher } from '../../../src/ingest/kafka/partition-fetcher.ts'
import { ReadAhead } from '../../../src/ingest/kafka/read-ahead.ts'
import { RecordBatches } from '../../../src/ingest/kafka/record-batches.ts'
import { FramePool } from '../../../src/kafka/frame-pool.ts'
import { writeBatch } from '../../support/kafka-records.ts'

const MIB = 1024 * 1024
const OF = { topic: 't', partition: 0 }

/** Ten records from `from` on, in a frame that is lent to whoever reads them; it may be larger than they are. */
const piece = (frames: FramePool, from: number, { valueBytes = 1, frameBytes = 0 } = {}): FetchedBatches => {
  const record = { key: null, value: Buffer.alloc(valueBytes) }
  const batch = writeBatch(
    Array.from({ length: 10 }, () => record),
    { baseOffset: from },
  )
  const frame = frames.take(Math.max(frameBytes, batch.length))
  batch.copy(frame)
  frames.lend(frame, 1)
  return findBatches(OF, frame, { start: 0, end: batch.length }, [], from)
}

/** A fetcher that gives ten records each time, up to an end; what it is asked for is written down. */
const fetcherOf = (frames: FramePool, end: number) => {
  const asked: number[] = []
  const fetcher: Pick<PartitionFetcher, 'fetchNow' | 'release' | 'hasMore' | 'expectedBytes'> = {
    fetchNow: (_, from) => {
      asked.push(from)
      return Promise.resolve(piece(frames, from))
    },
    release: ({ frame }) => frames.give(frame),
    hasMore: (_, from) => from < end,
    expectedBytes: () => 1000,
  }
  return { fetcher: fetcher as PartitionFetcher, asked }
}

describe('reading ahead', () => {
  it('gives a piece to the range that begins where it does, once, and to no other', async () => {
    const frames = new FramePool(0)
    const ahead = new ReadAhead(fetcherOf(frames, 100).fetcher, frames, MIB)
    ahead.keep('t/0', piece(frames, 0), 5)
    ahead.keep('t/1', piece(frames, 0), 5)
    expect(await ahead.take('t/0', 5)).toMatchObject({ from: 5, next: 10 })
    expect(ahead.take('t/0', 5)).toBeNull()
    expect(ahead.take('t/1', 6)).toBeNull()
    expect(ahead.take('t/1', 5)).toBeNull()
  })

  it('keeps to its budget: what was kept longest goes first', async () => {
    const frames = new FramePool(0)
    const ahead = new ReadAhead(fetcherOf(frames, 100).fetcher, frames, 1000)
    for (const partition of [0, 1, 2]) ahead.keep(`t/${partition}`, piece(frames, 0, { valueBytes: 30 }), 5)
    await nextTurn()
    expect(frames.lentBytes).toBeLessThanOrEqual(1000)
    expect(ahead.take('t/0', 5)).toBeNull()
    expect(ahead.take('t/1', 5)).not.toBeNull()
    expect(ahead.take('t/2', 5)).not.toBeNull()
  })

  it('holds no large frame for a small rest', async () => {
    const frames = new FramePool(0)
    const ahead = new ReadAhead(fetcherOf(frames, 100).fetcher, frames, MIB)
    ahead.keep('t/0', piece(frames, 0, { frameBytes: MIB }), 5)
    expect(frames.lentBytes).toBeLessThan(1000)
    expect(await ahead.take('t/0', 5)).toMatchObject({ from: 5, next: 10 })
  })

  it('fetches by a hint only where a plan says so or more is known to be there', async () => {
    const frames = new FramePool(0)
    const { fetcher, asked } = fetcherOf(frames, 20)
    const ahead = new ReadAhead(fetcher, frames, MIB)
    ahead.hint({ ...OF, offset: offset(20) }, null)
    expect(ahead.take('t/0', 20)).toBeNull()
    ahead.hint({ ...OF, offset: offset(20) }, offset(30))
    ahead.hint({ topic: 't', partition: 1, offset: offset(10) }, null)
    expect(asked).toEqual([20, 10])
    expect((await ahead.take('t/0', 20))?.next).toBe(30)
    expect((await ahead.take('t/1', 10))?.next).toBe(20)
  })

  it('goes on from what it has to where a plan ends, and gives back what nobody asks for', async () => {
    const frames = new FramePool(0)
    const { fetcher, asked } = fetcherOf(frames, 100)
    const ahead = new ReadAhead(fetcher, frames, MIB)
    ahead.keep('t/0', piece(frames, 0), 5)
    for (let again = 0; again < 3; again += 1) {
      ahead.hint({ ...OF, offset: offset(5) }, offset(20))
      await nextTurn()
    }
    expect(asked).toEqual([10])
    expect((await ahead.take('t/0', 5))?.next).toBe(10)
    expect((await ahead.take('t/0', 10))?.next).toBe(20)
    ahead.hint({ ...OF, offset: offset(40) }, offset(50))
    await nextTurn()
    const taken = frames.lentBytes
    ahead.clear()
    await nextTurn()
    expect(frames.lentBytes).toBeLessThan(taken)
  })
})

it('the rest of a fetch holds what the fetch held from there on', () => {
  const records = new RecordBatches({
    isolation: 'read_committed',
    maxDecompressedBytes: 1000,
    kernels: typescriptKernels,
  })
  const offsetsOf = (fetched: FetchedBatches, from: number, until: number): readonly number[] =>
    [...records.read(OF, fetched, { from, until })].flatMap(({ offsets }) => [...offsets])
  const record = { key: null, value: Buffer.from('v') }
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), fc.nat(60), fc.nat(60), (sizes, a, b) => {
      const starts = sizes.map((_, at) => sizes.slice(0, at).reduce((sum, size) => sum + size, 0))
      const batches = sizes.map((size, at) =>
        writeBatch(
          Array.from({ length: size }, () => record),
          { baseOffset: starts[at] as number },
        ),
      )
      const frame = Buffer.concat(batches)
      const whole = findBatches(OF, frame, { start: 0, end: frame.length }, [], 0)
      const [from, until] = [Math.min(a, b, whole.next), Math.max(a, b)]
      const rest = restOf(whole, from)
      expect(offsetsOf(rest, from, until)).toEqual(offsetsOf(whole, from, until))
      expect([rest.from, rest.next]).toEqual([from, whole.next])
    }),
  )
})
