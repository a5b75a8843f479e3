import { type DurationText, parseDuration } from '../base/duration.ts'
import { MillraceError } from '../base/errors.ts'
import { epochMs } from '../base/units.ts'
import { checkOptions, oneOf, positive } from './check-options.ts'
import type { LandedOptions } from './landed.ts'
import type { DatagenSourceNode, KafkaSourceNode, LandedSource, StartingPosition } from './plan.ts'

/** Offsets by topic and partition, as Spark writes them; -2 means earliest and -1 latest. */
export type OffsetsJson = Readonly<Record<string, Readonly<Record<string, number>>>>

/** Options of a Kafka source; names and defaults are those of Spark's Kafka source. */
export interface KafkaOptions {
  readonly topic: string
  /** Bootstrap servers `host:port`. Left out, configuration (`kafka.brokers`) says them. */
  readonly brokers?: readonly string[]
  /** Where a new pipeline starts; a pipeline with a checkpoint goes on from there. Default `latest`. */
  readonly startingOffsets?: 'earliest' | 'latest' | OffsetsJson
  /** Start at the first record with this timestamp (epoch ms or ISO 8601) or later; wins over `startingOffsets`. */
  readonly startingTimestamp?: number | string
  /** Where `availableNow` ends. Default: what is there when it starts. */
  readonly endingOffsets?: 'latest' | OffsetsJson
  /** Stop (exit code 4) where offsets are gone that were never read. `false`: report it and go on. Default `true`. */
  readonly failOnDataLoss?: boolean
  /** At most so many offsets in one micro-batch, over all partitions. */
  readonly maxOffsetsPerTrigger?: number
  /** Wait until so many offsets are there, but no longer than `maxTriggerDelay` (default '15m'). */
  readonly minOffsetsPerTrigger?: number
  readonly maxTriggerDelay?: DurationText
  /** `read_committed` (default) leaves out records of open and aborted transactions. */
  readonly isolation?: 'read_committed' | 'read_uncommitted'
  /** Consumer group that committed offsets are mirrored to, for lag tools. Default `millrace-<pipeline>`. */
  readonly groupId?: string
  /**
   * The table that the topic's rows are landed in with `land()`: hourly batch jobs and backfills read it. A branch of this
   * pipeline writes it, or somebody else does.
   */
  readonly landed?: string | LandedOptions
}

const KAFKA_OPTIONS: Readonly<Record<keyof KafkaOptions, true>> = {
  topic: true,
  brokers: true,
  startingOffsets: true,
  startingTimestamp: true,
  endingOffsets: true,
  failOnDataLoss: true,
  maxOffsetsPerTrigger: true,
  minOffsetsPerTrigger: true,
  maxTriggerDelay: true,
  isolation: true,
  groupId: true,
  landed: true,
}

/** Reads a Kafka topic by offset ranges, without a consumer group. @throws INVALID_PIPELINE */
export const kafka = (options: KafkaOptions): KafkaSourceNode => {
  checkOptions('kafka()', options, KAFKA_OPTIONS)
  return Object.freeze({
    kind: 'kafka',
    topic: checkTopic(options.topic),
    brokers: options.brokers ?? null,
    startingPosition: startingPosition(options),
    endingOffsets: endingOffsets(options.endingOffsets ?? 'latest'),
    failOnDataLoss: options.failOnDataLoss ?? true,
    maxOffsetsPerTrigger: positive(options.maxOffsetsPerTrigger, 'maxOffsetsPerTrigger'),
    minOffsetsPerTrigger: positive(options.minOffsetsPerTrigger, 'minOffsetsPerTrigger'),
    maxTriggerDelayMs: parseDuration(options.maxTriggerDelay ?? '15m', 'maxTriggerDelay'),
    isolation: oneOf(options.isolation ?? 'read_committed', ['read_committed', 'read_uncommitted'], 'isolation'),
    groupId: options.groupId ?? null,
    landed: landedSource(options.landed),
  })
}

/** Lets the name of a topic pass. @throws INVALID_PIPELINE */
export const checkTopic = (topic: string): string => {
  if (/^[a-zA-Z0-9._-]{1,249}$/.test(topic) && topic !== '.' && topic !== '..') return topic
  throw new MillraceError('INVALID_PIPELINE', `${JSON.stringify(topic)} is not a topic name`, {
    remedy: 'Use up to 249 letters, digits, dots, underscores and hyphens.',
  })
}

const landedSource = (landed: string | LandedOptions | undefined): LandedSource | null => {
  if (landed === undefined) return null
  const { table, hourOf, prefix, store }: LandedOptions = typeof landed === 'string' ? { table: landed } : landed
  return Object.freeze({ table, hourOf: hourOf ?? null, prefix: prefix ?? null, store: store ?? null })
}

const startingPosition = ({ startingOffsets, startingTimestamp }: KafkaOptions): StartingPosition => {
  if (startingTimestamp !== undefined) {
    return { kind: 'timestamp', timestamp: pointInTime(startingTimestamp, 'startingTimestamp') }
  }
  if (typeof startingOffsets === 'object') return { kind: 'offsets', offsets: checkOffsets(startingOffsets) }
  return { kind: oneOf(startingOffsets ?? 'latest', ['earliest', 'latest'], 'startingOffsets') }
}

const endingOffsets = (asked: 'latest' | OffsetsJson): OffsetsJson | null =>
  typeof asked === 'object' ? checkOffsets(asked) : oneOf(asked, ['latest'], 'endingOffsets') && null

const checkOffsets = (offsets: OffsetsJson): OffsetsJson => {
  for (const [topic, partitions] of Object.entries(offsets)) {
    for (const [partition, position] of Object.entries(partitions)) {
      if (/^\d+$/.test(partition) && Number.isSafeInteger(position) && position >= -2) continue
      throw new MillraceError('INVALID_PIPELINE', `offset ${position} of ${topic}/${partition} is not an offset`, {
        remedy: 'Write { "topic": { "0": 42, "1": -2 } }: whole numbers, -2 for earliest, -1 for latest.',
      })
    }
  }
  return offsets
}

const pointInTime = (value: number | string, what: string) => {
  const time = typeof value === 'number' ? value : Date.parse(value)
  if (!Number.isFinite(time)) {
    throw new MillraceError('INVALID_PIPELINE', `${what} is not a point in time: ${JSON.stringify(value)}`, {
      remedy: 'Write epoch milliseconds or ISO 8601 text such as 2026-01-15T10:00:00Z.',
    })
  }
  return epochMs(time)
}

/** Options of the built-in generator of playback events. */
export interface DatagenOptions {
  /** Default 4. */
  readonly partitions?: number
  /** Rows per second over all partitions, by the wall clock. Default 20,000. */
  readonly rowsPerSecond?: number
  /** Another seed gives other events. Default 1. */
  readonly seed?: number
  /** How much faster than the wall clock event time runs. Default 1. */
  readonly speed?: number
  /** Event time of the first events. Default 2026-01-15T10:00:00Z. */
  readonly startTime?: number | string
  /** The source ends after so many rows in each partition. Default: it never ends. */
  readonly rowsPerPartition?: number
  /** Events of about 380 bytes, or of about 2.1 KB with a nested map of 60 keys. Default `small`. */
  readonly eventBytes?: 'small' | 'large'
  /** As for `kafka`. */
  readonly landed?: string | LandedOptions
}

const DATAGEN_OPTIONS: Readonly<Record<keyof DatagenOptions, true>> = {
  partitions: true,
  rowsPerSecond: true,
  seed: true,
  speed: true,
  startTime: true,
  rowsPerPartition: true,
  eventBytes: true,
  landed: true,
}

/**
 * Playback events, the same for the same seed and offset, so that they can be read again like a topic.
 * @throws INVALID_PIPELINE
 */
export const datagen = (options: DatagenOptions = {}): DatagenSourceNode => {
  checkOptions('datagen()', options, DATAGEN_OPTIONS)
  return Object.freeze({
    kind: 'datagen',
    partitions: positive(options.partitions, 'partitions') ?? 4,
    rowsPerSecond: positive(options.rowsPerSecond, 'rowsPerSecond') ?? 20_000,
    seed: options.seed ?? 1,
    speed: options.speed ?? 1,
    startTime: pointInTime(options.startTime ?? '2026-01-15T10:00:00Z', 'startTime'),
    rowsPerPartition: positive(options.rowsPerPartition, 'rowsPerPartition'),
    eventBytes: oneOf(options.eventBytes ?? 'small', ['small', 'large'], 'eventBytes'),
    landed: landedSource(options.landed),
  })
}
