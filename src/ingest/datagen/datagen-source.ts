import type { Clock } from '../../base/clock.ts'
import { type Offset, offset } from '../../base/units.ts'
import type { RecordBatch } from '../../columnar/record-batch.ts'
import type { DatagenSourceNode } from '../../pipeline/plan.ts'
import type { PartitionBounds, PartitionOffset, SourcePlanner, SourceReader } from '../source.ts'
import { ByteWriter } from './byte-writer.ts'
import { PlaybackEvents } from './playback-events.ts'

/** Name under which the generator's partitions go. */
export const DATAGEN_TOPIC = 'datagen'
/** Records of one batch. */
const BATCH_RECORDS = 4096

const partitionsOf = (node: DatagenSourceNode): readonly number[] =>
  Array.from({ length: node.partitions }, (_, partition) => partition)

/** Rows appear by the clock, from where the pipeline stands when it starts. */
export const datagenPlanner = (node: DatagenSourceNode, clock: Clock): SourcePlanner => {
  let startedAt = clock.monotonicMs()
  let base: ReadonlyMap<number, number> = new Map()
  const latest = (partition: number): Offset => {
    const grown = ((clock.monotonicMs() - startedAt) * node.rowsPerSecond) / node.partitions / 1000
    return offset(
      Math.min((base.get(partition) ?? 0) + Math.floor(grown), node.rowsPerPartition ?? Number.MAX_SAFE_INTEGER),
    )
  }
  return {
    description: `datagen ${node.rowsPerSecond} rows/s`,
    identity: () => Promise.resolve(`seed-${node.seed}-${node.eventBytes}-${node.partitions}`),
    startingOffsets: () => Promise.resolve(partitionsOf(node).map(partition => positionOf(partition, 0))),
    bounds: () =>
      Promise.resolve(
        partitionsOf(node).map(
          (partition): PartitionBounds => ({
            topic: DATAGEN_TOPIC,
            partition,
            earliest: offset(0),
            latest: latest(partition),
          }),
        ),
      ),
    endingOffsets: () => {
      const { rowsPerPartition } = node
      return Promise.resolve(
        rowsPerPartition === null ? null : partitionsOf(node).map(partition => positionOf(partition, rowsPerPartition)),
      )
    },
    resumed(offsets) {
      startedAt = clock.monotonicMs()
      base = new Map(offsets.map(each => [each.partition, each.offset]))
    },
    committed: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
}

const positionOf = (partition: number, position: number): PartitionOffset => ({
  topic: DATAGEN_TOPIC,
  partition,
  offset: offset(position),
})

/** Writes the events of a range as record batches, in memory that is used again for each batch. */
export const datagenReader = (node: DatagenSourceNode): SourceReader => {
  const events = new PlaybackEvents({
    seed: node.seed,
    size: node.eventBytes,
    startTime: node.startTime,
    millisPerEvent: (1000 * node.partitions * node.speed) / node.rowsPerSecond,
  })
  const batch = new GeneratedBatch(events)
  return {
    get bytesRead() {
      return batch.bytesWritten
    },
    async *read(range, signal) {
      for (let from: number = range.from; from < range.until; from += BATCH_RECORDS) {
        if (signal.aborted) return
        yield batch.fill(range.partition, from, Math.min(range.until, from + BATCH_RECORDS))
      }
    },
    prefetch: () => undefined,
    close: () => Promise.resolve(),
  }
}

class GeneratedBatch {
  bytesWritten = 0
  readonly #events: PlaybackEvents
  readonly #out = new ByteWriter(BATCH_RECORDS * 512)
  readonly #offsets = new Float64Array(BATCH_RECORDS)
  readonly #timestamps = new Float64Array(BATCH_RECORDS)
  readonly #valueStart = new Int32Array(BATCH_RECORDS)
  readonly #valueLength = new Int32Array(BATCH_RECORDS)
  readonly #zeros = new Int32Array(BATCH_RECORDS)
  readonly #noKeys = new Int32Array(BATCH_RECORDS).fill(-1)

  constructor(events: PlaybackEvents) {
    this.#events = events
  }

  fill(partition: number, from: number, until: number): RecordBatch {
    const out = this.#out
    out.length = 0
    for (let at = from; at < until; at += 1) {
      const row = at - from
      const start = out.length
      this.#events.write(out, partition, at)
      this.#offsets[row] = at
      this.#timestamps[row] = this.#events.eventTime(partition, at)
      this.#valueStart[row] = start
      this.#valueLength[row] = out.length - start
    }
    this.bytesWritten += out.length
    return {
      topic: DATAGEN_TOPIC,
      partition,
      count: until - from,
      arena: out.bytes,
      offsets: this.#offsets,
      timestamps: this.#timestamps,
      keyStart: this.#zeros,
      keyLength: this.#noKeys,
      valueStart: this.#valueStart,
      valueLength: this.#valueLength,
      headersStart: this.#zeros,
      headersLength: this.#zeros,
    }
  }
}
