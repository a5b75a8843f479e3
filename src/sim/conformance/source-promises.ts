import { seededRandom } from '../../base/random.ts'
import { utf8Text } from '../../base/text.ts'
import { offset } from '../../base/units.ts'
import type { RecordBatch } from '../../columnar/record-batch.ts'
import type { SourcePlanner, SourceReader } from '../../ingest/source.ts'
import { type Case, type ConformancePromise, equal, holds, promisesOf } from './promise.ts'

/** A record of the partition under test. */
export interface SourceRecord {
  readonly offset: number
  /** As text; `null` where it has none. */
  readonly value: string | null
}

/** A source that stands still, and what is known of one of its partitions. */
export interface SourceUnderTest {
  readonly planner: SourcePlanner
  readonly openReader: () => SourceReader
  readonly topic: string
  readonly partition: number
  /** All records that may be read in `[0, until)`, in order; there may be gaps. */
  readonly records: readonly SourceRecord[]
  readonly until: number
  readonly close: () => Promise<void>
}

const signal = (): AbortSignal => new AbortController().signal

const valueAt = ({ arena, valueStart, valueLength }: RecordBatch, row: number): string | null => {
  const [start = 0, length = -1] = [valueStart[row], valueLength[row]]
  return length < 0 ? null : utf8Text(arena.slice(start, start + length))
}

const read = async (
  { topic, partition }: SourceUnderTest,
  reader: SourceReader,
  from: number,
  until: number,
): Promise<readonly SourceRecord[]> => {
  const records: SourceRecord[] = []
  const range = { topic, partition, from: offset(from), until: offset(until) }
  for await (const batch of reader.read(range, signal())) {
    equal([batch.topic, batch.partition], [topic, partition])
    for (let row = 0; row < batch.count; row += 1) {
      records.push({ offset: batch.offsets[row] ?? -1, value: valueAt(batch, row) })
    }
  }
  return records
}

const within = ({ records }: SourceUnderTest, from: number, until: number): readonly SourceRecord[] =>
  records.filter(record => record.offset >= from && record.offset < until)

const withReader = async (source: SourceUnderTest, use: (reader: SourceReader) => Promise<void>): Promise<void> => {
  const reader = source.openReader()
  try {
    await use(reader)
  } finally {
    await reader.close()
  }
}

const PLANNING: readonly Case<SourceUnderTest>[] = [
  [
    'is the same one each time it is asked',
    async ({ planner }) => {
      const identity = await planner.identity()
      holds(identity.length > 0, 'it has an identity')
      equal(await planner.identity(), identity)
    },
  ],
  [
    'tells bounds that hold all there is to read',
    async ({ planner, topic, partition, records, until }) => {
      const bound = (await planner.bounds()).find(each => each.topic === topic && each.partition === partition)
      holds((bound?.earliest ?? Infinity) <= (records[0]?.offset ?? Infinity), 'nothing lies before the first offset')
      holds((bound?.latest ?? 0) >= until, 'nothing lies behind the last offset')
    },
  ],
  [
    'starts once in each partition',
    async ({ planner }) => {
      const partitions = (await planner.bounds()).map(({ topic, partition }) => `${topic}/${partition}`)
      const starts = (await planner.startingOffsets()).map(({ topic, partition }) => `${topic}/${partition}`)
      equal(starts.toSorted(), partitions.toSorted())
    },
  ],
  [
    'may be told of a commit again',
    async ({ planner, topic, partition }) => {
      for (const at of [1, 1, 2]) await planner.committed([{ topic, partition, offset: offset(at) }])
    },
  ],
]

const READING: readonly Case<SourceUnderTest>[] = [
  [
    'gives every record of a range once, in the order of offsets, unaltered',
    async source =>
      withReader(source, async reader => {
        equal(await read(source, reader, 0, source.until), source.records)
        holds(reader.bytesRead > 0, 'it counts bytes')
      }),
  ],
  [
    'gives nothing before a range and nothing behind it, wherever that begins and ends',
    async source =>
      withReader(source, async reader => {
        const random = seededRandom(7)
        for (let at = 0; at < 12; at += 1) {
          const [from = 0, until = 0] = [random.next(), random.next()]
            .map(share => Math.floor(share * (source.until + 1)))
            .toSorted((a, b) => a - b)
          equal(await read(source, reader, from, until), within(source, from, until))
        }
      }),
  ],
  [
    'gives the same again, to another reader too, whatever was hinted at',
    async source => {
      const { topic, partition, until } = source
      await withReader(source, async reader => {
        const half = Math.floor(until / 2)
        reader.prefetch({ topic, partition, offset: offset(half) })
        equal(await read(source, reader, 0, half), within(source, 0, half))
        reader.prefetch({ topic, partition, offset: offset(half) })
        equal(await read(source, reader, half, until), within(source, half, until))
        equal(await read(source, reader, 0, half), within(source, 0, half))
      })
      await withReader(source, async reader => equal(await read(source, reader, 0, until), source.records))
    },
  ],
  [
    'ends soon where it is told to stop',
    async source =>
      withReader(source, async reader => {
        const { topic, partition } = source
        const range = { topic, partition, from: offset(0), until: offset(source.until) }
        const stopped = async (): Promise<number> => {
          let rows = 0
          for await (const batch of reader.read(range, AbortSignal.abort())) rows += batch.count
          return rows
        }
        const rows = await stopped().catch((error: { readonly code?: string }) => {
          equal(error.code, 'ABORTED')
          return 0
        })
        holds(rows <= source.records.length, 'it gives nothing twice')
        equal(await read(source, reader, 0, source.until), source.records)
      }),
  ],
]

/**
 * What every source keeps: a range that was planned is the same range whenever, wherever and however often it is read.
 *
 * @param open opens a source that stands still; it is closed after each promise
 */
export const sourcePromises = (open: () => Promise<SourceUnderTest> | SourceUnderTest): readonly ConformancePromise[] =>
  promisesOf('a source', [...PLANNING, ...READING], open, async ({ planner, close }) => {
    await planner.close()
    await close()
  })
