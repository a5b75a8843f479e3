import type { JsonValue } from '../../base/json.ts'
import { batchId } from '../../base/units.ts'
import type { Sink, SinkOutput } from '../../sinks/sink.ts'
import { type Case, type ConformancePromise, equal, holds, promisesOf } from './promise.ts'

/** A place that sinks write to, and who reads there. */
export interface SinkUnderTest {
  /** A sink of a driver with this epoch, which goes on where `receipt` left off; called for each driver. */
  readonly openSink: (epoch: number, receipt: JsonValue | null) => Promise<Sink>
  /** What a batch with these ids as its rows gives to the sink. */
  readonly output: (batch: number, epoch: number, ids: readonly number[]) => SinkOutput
  /** Ids of the rows that readers see, one for each time that a row is there. */
  readonly seen: () => Promise<readonly number[]>
  readonly close: () => Promise<void>
}

/** What a commit would keep: it is written and read before it is used. */
const logged = (receipt: JsonValue): JsonValue => JSON.parse(JSON.stringify(receipt)) as JsonValue

/** Readers see these ids: each once, or from a sink that promises less at least once. */
const requireSeen = async ({ seen }: SinkUnderTest, { delivery }: Sink, ids: readonly number[]): Promise<void> => {
  const there = (await seen()).toSorted((a, b) => a - b)
  equal(delivery === 'exactlyOnce' ? there : [...new Set(there)], ids)
}

const publishAll = async (sink: Sink, place: SinkUnderTest, batches: readonly (readonly number[])[]) => {
  let receipt: JsonValue = null
  for (const [batch, ids] of batches.entries()) {
    receipt = logged(await sink.prepare(place.output(batch, 1, ids)))
    await sink.publish(receipt)
  }
  return receipt
}

const TRANSACTIONAL: readonly Case<SinkUnderTest>[] = [
  [
    'shows nothing before it publishes, and then all of it',
    async place => {
      const sink = await place.openSink(1, null)
      const receipt = logged(await sink.prepare(place.output(0, 1, [1, 2])))
      equal(await place.seen(), [])
      await sink.publish(receipt)
      await requireSeen(place, sink, [1, 2])
    },
  ],
  [
    'is published by a driver that knows no more than the receipt, and again',
    async place => {
      const first = await place.openSink(1, null)
      const receipt = logged(await first.prepare(place.output(0, 1, [1, 2, 3])))
      const second = await place.openSink(2, receipt)
      await second.publish(receipt)
      await requireSeen(place, second, [1, 2, 3])
      await second.publish(receipt)
      await first.publish(receipt)
      await requireSeen(place, second, [1, 2, 3])
    },
  ],
  [
    'shows nothing of what was discarded',
    async place => {
      const sink = await place.openSink(1, null)
      const dropped = logged(await sink.prepare(place.output(0, 1, [7])))
      await sink.discard(dropped)
      equal(await place.seen(), [])
      const receipt = logged(await sink.prepare(place.output(0, 1, [1])))
      await sink.publish(receipt)
      await requireSeen(place, sink, [1])
    },
  ],
  [
    'clears up what crashed drivers prepared and no commit lists, and nothing else',
    async place => {
      const crashed = await place.openSink(1, null)
      await crashed.prepare(place.output(0, 1, [8, 9]))
      const sink = await place.openSink(2, null)
      const receipt = logged(await sink.prepare(place.output(0, 2, [1, 2])))
      await sink.publish(receipt)
      await sink.clearUp(batchId(0))
      await sink.clearUp(batchId(0))
      await requireSeen(place, sink, [1, 2])
      await sink.publish(receipt)
      await requireSeen(place, sink, [1, 2])
    },
  ],
  [
    'keeps what is prepared for a batch after the committed one: it may still be committed',
    async place => {
      const sink = await place.openSink(1, null)
      await publishAll(sink, place, [[1]])
      const next = logged(await sink.prepare(place.output(1, 1, [2])))
      await sink.clearUp(batchId(0))
      await sink.publish(next)
      await requireSeen(place, sink, [1, 2])
    },
  ],
]

const EVERY: readonly Case<SinkUnderTest>[] = [
  [
    'takes batches one after the other, empty ones too',
    async place => {
      const sink = await place.openSink(1, null)
      await publishAll(sink, place, [[1, 2], [], [3], [4, 5]])
      await requireSeen(place, sink, [1, 2, 3, 4, 5])
      await sink.clearUp(batchId(3))
      await requireSeen(place, sink, [1, 2, 3, 4, 5])
    },
  ],
  [
    'gives a receipt that is plain data',
    async place => {
      const sink = await place.openSink(1, null)
      const receipt = await sink.prepare(place.output(0, 1, [1]))
      equal(logged(receipt), receipt)
      await sink.publish(receipt)
    },
  ],
  [
    'says what it is, in one line',
    async place => {
      const { description } = await place.openSink(1, null)
      holds(description.length > 0 && !description.includes('\n'), 'it has a description of one line')
    },
  ],
]

/** In what sinks may differ. */
export interface SinkTraits {
  /** Rows go out when they are prepared: nothing is held back until the commit, and there is nothing to publish. Default false. */
  readonly deliversInPrepare?: boolean
}

/**
 * What every sink keeps. Sinks that deliver when they prepare are held to less: nothing is lost, repeats are allowed.
 *
 * @param open makes a fresh place; it is closed after each promise
 */
export const sinkPromises = (
  open: () => Promise<SinkUnderTest>,
  { deliversInPrepare = false }: SinkTraits = {},
): readonly ConformancePromise[] =>
  promisesOf('a sink', deliversInPrepare ? EVERY : [...TRANSACTIONAL, ...EVERY], open, ({ close }) => close())
