import { once } from 'node:events'
import { connect } from 'node:net'
import { finished } from 'node:stream/promises'
import { epochMs } from '../../src/base/units.ts'
import { ByteWriter } from '../../src/ingest/datagen/byte-writer.ts'
import { PlaybackEvents } from '../../src/ingest/datagen/playback-events.ts'

export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

export interface LoadRecord {
  readonly partition?: number
  readonly timestamp?: number
  readonly key?: string | Buffer | null
  readonly value: string | Buffer | null
  readonly headers?: readonly (readonly [string, string | null])[]
}

/** A record, or what a transactional producer does between records. */
export type LoadStep = LoadRecord | 'begin' | 'commit' | 'abort' | 'flush'

export interface LoadOptions {
  readonly compression?: Compression
  /** Further settings of the Java producer, such as `transactional.id` or `batch.size`. */
  readonly settings?: Readonly<Record<string, string>>
}

const STEPS = { begin: 'B', commit: 'C', abort: 'A', flush: 'F' } as const

/** A topic of a running broker, and who loads it. */
export interface LoadTarget {
  /** Port of `startProducer`. */
  readonly producer: number
  /** Bootstrap servers. */
  readonly brokers: string
  readonly topic: string
}

/** Writes records to a topic with Kafka's own Java producer. Answers how many. */
export const loadRecords = (
  target: LoadTarget,
  steps: Iterable<LoadStep>,
  options: LoadOptions = {},
): Promise<number> => produce(target, framesOf(steps), options)

export interface GeneratedLoad extends LoadOptions {
  readonly partitions: number
  readonly rowsPerPartition: number
  readonly seed?: number
  readonly size?: 'small' | 'large' | 'largeVarying'
  /** Event time between two events of a partition. Default 1 ms. */
  readonly millisPerEvent?: number
  readonly firstOffset?: number
  /** Event time of the first event. Default `GENERATED_FROM`. */
  readonly startTime?: number
}

/** Event time of the first generated event, unless told otherwise. */
export const GENERATED_FROM = epochMs(Date.UTC(2026, 0, 15, 10))

/** Writes generated playback events: partition and offset say which event it is. */
export const loadEvents = (target: LoadTarget, load: GeneratedLoad): Promise<number> =>
  produce(target, generatedFrames(load), load)

/** A load under way. */
export interface OpenLoad {
  /** Takes a frame; waits where the producer is behind. */
  write(frame: Buffer): Promise<void>
  /** Resolves when all is written, with how many records that were. */
  end(): Promise<number>
}

/** Begins to load a topic. */
export const openLoad = ({ producer, brokers, topic }: LoadTarget, options: LoadOptions = {}): OpenLoad => {
  const socket = connect({ host: '127.0.0.1', port: producer })
  let answer = ''
  socket.setEncoding('utf8').on('data', (text: string) => (answer += text))
  // one that gives up closes its side before it has read all, and says why
  socket.on('error', () => undefined)
  const ended = finished(socket, { writable: false })
  ended.catch(() => undefined)
  const write = async (frame: Buffer): Promise<void> => {
    if (!socket.write(frame)) await Promise.race([once(socket, 'drain'), ended])
  }
  const settings = Object.entries({ 'compression.type': options.compression ?? 'none', ...options.settings })
  socket.write(
    Buffer.concat([
      ...[brokers, topic].map(lengthPrefixed),
      int32(settings.length),
      ...settings.flat().map(lengthPrefixed),
    ]),
  )
  return {
    write,
    async end() {
      socket.end()
      await ended
      if (!/^\d+$/.test(answer)) throw new Error(`the producer failed: ${answer}`)
      return Number(answer)
    },
  }
}

const produce = async (target: LoadTarget, frames: Iterable<Buffer>, options: LoadOptions): Promise<number> => {
  const load = openLoad(target, options)
  for (const frame of frames) await load.write(frame)
  return load.end()
}

function* framesOf(steps: Iterable<LoadStep>): Iterable<Buffer> {
  for (const step of steps) yield typeof step === 'string' ? Buffer.from(STEPS[step]) : recordFrame(step)
}

const recordFrame = ({ partition = 0, timestamp = -1, key = null, value, headers = [] }: LoadRecord): Buffer => {
  const start = Buffer.alloc(13)
  start.write('R')
  start.writeInt32BE(partition, 1)
  start.writeBigInt64BE(BigInt(timestamp), 5)
  const pairs = headers.flatMap(([name, text]) => [lengthPrefixed(name), lengthPrefixed(text)])
  return Buffer.concat([start, lengthPrefixed(key), lengthPrefixed(value), int32(headers.length), ...pairs])
}

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

const lengthPrefixed = (value: string | Buffer | null): Buffer => {
  if (value === null) return int32(-1)
  const bytes = Buffer.from(value as string)
  return Buffer.concat([int32(bytes.length), bytes])
}

/** The events of a generated topic, each a function of partition and offset. */
export const eventsOf = ({
  seed = 1,
  size = 'small',
  startTime = GENERATED_FROM,
  millisPerEvent = 1,
}: GeneratedLoad): PlaybackEvents => new PlaybackEvents({ seed, size, startTime, millisPerEvent })

const FRAME_BYTES = 1024 * 1024

/** Frames of many records each, one partition after the other in turns, as producers would. */
function* generatedFrames(load: GeneratedLoad): Iterable<Buffer> {
  const { partitions, rowsPerPartition, firstOffset = 0 } = load
  const events = eventsOf(load)
  const out = new ByteWriter(4096)
  let frame = Buffer.allocUnsafe(FRAME_BYTES + 8192)
  let at = 0
  for (let offset = firstOffset; offset < firstOffset + rowsPerPartition; offset += 1) {
    for (let partition = 0; partition < partitions; partition += 1) {
      out.length = 0
      events.write(out, partition, offset)
      at = frame.write('R', at) + at
      at = frame.writeInt32BE(partition, at)
      at = frame.writeBigInt64BE(BigInt(events.eventTime(partition, offset)), at)
      at = frame.writeInt32BE(-1, at)
      at = frame.writeInt32BE(out.length, at)
      frame.set(out.bytes.subarray(0, out.length), at)
      at = frame.writeInt32BE(0, at + out.length)
      if (at < FRAME_BYTES) continue
      yield frame.subarray(0, at)
      frame = Buffer.allocUnsafe(FRAME_BYTES + 8192)
      at = 0
    }
  }
  yield frame.subarray(0, at)
}
