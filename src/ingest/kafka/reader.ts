import { abortable } from '../../base/abortable.ts'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { DurationMs } from '../../base/units.ts'
import type { Kernels } from '../../columnar/kernels.ts'
import type { RecordBatch } from '../../columnar/record-batch.ts'
import { KafkaCluster } from '../../kafka/cluster.ts'
import { FramePool } from '../../kafka/frame-pool.ts'
import { tcpConnect } from '../../kafka/tcp-connection.ts'
import type { KafkaSourceNode } from '../../pipeline/plan.ts'
import { type OffsetRange, partitionKey } from '../offset-range.ts'
import type { SourceReader } from '../source.ts'
import { bytesWithin, type FetchedBatches } from './fetched-batches.ts'
import { PartitionFetcher } from './partition-fetcher.ts'
import { ReadAhead } from './read-ahead.ts'
import { RecordBatches } from './record-batches.ts'

/** What connections are made with; plain data but for clock and chance. */
export interface KafkaConnectionOptions {
  readonly node: KafkaSourceNode
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly requestTimeoutMs: number
  readonly clock: Clock
  readonly random: Random
}

export interface KafkaReaderOptions extends KafkaConnectionOptions {
  /** Bytes of one partition in one fetch. */
  readonly fetchMaxBytes: number
  /** Bytes that may lie here unasked for. */
  readonly prefetchBytes: number
  /** A record batch that decompresses to more is refused. */
  readonly maxDecompressedBytes: number
  readonly kernels: Kernels
}

/** A worker's reader: sockets, buffers and read-ahead of its own, shared with nobody. */
export const kafkaSourceReader = (options: KafkaReaderOptions): SourceReader => {
  const frames = new FramePool(options.prefetchBytes)
  let bytesRead = 0
  const onBytes = (bytes: number) => {
    bytesRead += bytes
  }
  const cluster = new KafkaCluster({
    ...options,
    connect: tcpConnect({
      clientId: options.clientId,
      requestTimeoutMs: options.requestTimeoutMs as DurationMs,
      frames,
    }),
  })
  const { node, fetchMaxBytes, prefetchBytes, clock } = options
  const fetcher = new PartitionFetcher({ cluster, frames, clock, fetchMaxBytes, prefetchBytes, ...node })
  const readAhead = new ReadAhead(fetcher, frames, options.prefetchBytes)
  const records = new RecordBatches({ ...options, isolation: node.isolation })
  return {
    get bytesRead() {
      return Math.round(bytesRead)
    },
    read: (range, signal) => readRange({ fetcher, readAhead, records, onBytes }, range, signal),
    prefetch: (position, until) => readAhead.hint(position, until ?? null),
    close: () => {
      readAhead.clear()
      cluster.close()
      return Promise.resolve()
    },
  }
}

interface ReaderParts {
  readonly fetcher: PartitionFetcher
  readonly readAhead: ReadAhead
  readonly records: RecordBatches
  readonly onBytes: (bytes: number) => void
}

/** Fetch after fetch, the next one on its way before the present one is decoded. */
async function* readRange(
  { fetcher, readAhead, records, onBytes }: ReaderParts,
  range: OffsetRange,
  signal: AbortSignal,
): AsyncGenerator<RecordBatch> {
  const key = partitionKey(range)
  let position: number = range.from
  let coming: Promise<FetchedBatches> | null = null
  try {
    while (position < range.until) {
      coming ??= startingFetch({ fetcher, readAhead }, range, position, signal)
      const fetched: FetchedBatches = await abortable(coming, signal, describe(range))
      coming = fetched.next < range.until ? startingFetch({ fetcher, readAhead }, range, fetched.next, signal) : null
      coming?.catch(() => undefined)
      try {
        yield* records.read(range, fetched, { from: position, until: range.until })
      } finally {
        // what lies beyond the range is what the next batch will ask for
        if (fetched.next > range.until) readAhead.keep(key, fetched, range.until)
        else fetcher.release(fetched)
      }
      onBytes(bytesWithin(fetched, position, range.until))
      position = fetched.next
    }
  } finally {
    // a range that is left early leaves a fetch under way behind
    coming?.then(
      fetched => fetcher.release(fetched),
      () => undefined,
    )
  }
}

/** What was read ahead, or a fetch now where nothing was or where reading ahead failed. */
const startingFetch = (
  { fetcher, readAhead }: Pick<ReaderParts, 'fetcher' | 'readAhead'>,
  range: OffsetRange,
  position: number,
  signal: AbortSignal,
): Promise<FetchedBatches> => {
  const fetch = (): Promise<FetchedBatches> => fetcher.fetch(range, position, range.until, signal)
  return readAhead.take(partitionKey(range), position)?.catch(fetch) ?? fetch()
}

const describe = ({ topic, partition, from, until }: OffsetRange): string => `${topic}/${partition} [${from}, ${until})`
