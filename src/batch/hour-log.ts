import { MillraceError, toErrorRecord } from '../base/errors.ts'
import { formatHour } from '../base/hours.ts'
import type { JsonValue } from '../base/json.ts'
import { mapBounded } from '../base/map-bounded.ts'
import type { EpochMs } from '../base/units.ts'
import { encodeEntry } from '../checkpoint/entry-codec.ts'
import { patiently } from '../checkpoint/patience.ts'
import { batchLayout } from './batch-layout.ts'
import { type GuardedStore, getGuarded, replaceGuarded } from './guarded-object.ts'
import { decodeHourRecord, encodeHourRecord, type HourRecord, type PublishedHour } from './hour-record.ts'

/** Records that are read at once. */
const PARALLEL_READS = 8

/** A record with the version that the next one is guarded by. */
export interface VersionedRecord {
  readonly record: HourRecord
  readonly version: string
}

/** Who moves records: a run under its claim. */
export interface HourOwner {
  readonly runId: string
  readonly epoch: number
}

/**
 * The job log of a pipeline: one record for each hour, moved from state to state by guarded replacement, so that of two
 * runs that believe in the same hour one is fenced.
 */
export class HourLog {
  readonly #io: GuardedStore
  readonly #pipeline: string
  readonly #layout: ReturnType<typeof batchLayout>

  constructor(io: GuardedStore, pipeline: string) {
    this.#io = io
    this.#pipeline = pipeline
    this.#layout = batchLayout(pipeline)
  }

  async read(hour: EpochMs): Promise<VersionedRecord | null> {
    const key = this.#layout.hour(hour)
    const there = await getGuarded(this.#io, key)
    return there === null ? null : { record: decodeHourRecord(key, there.bytes), version: there.version }
  }

  /** The records of all hours that were ever attempted, in order. */
  async all(): Promise<readonly HourRecord[]> {
    const keys: string[] = []
    for await (const { key } of this.#io.store.list(this.#layout.hours)) keys.push(key)
    return mapBounded(keys, PARALLEL_READS, async key => {
      const there = await getGuarded(this.#io, key)
      if (there === null) throw vanished(key)
      return decodeHourRecord(key, there.bytes)
    })
  }

  /** Takes the next generation of an hour and writes down what it is made from. @throws FENCED */
  async plan(
    hour: EpochMs,
    before: VersionedRecord | null,
    owner: HourOwner,
    inputs: JsonValue,
  ): Promise<VersionedRecord> {
    const generation = (before?.record.attempt.generation ?? 0) + 1
    if (before !== null && before.record.attempt.epoch > owner.epoch) throw fencedFrom(hour, owner)
    const now = this.#io.clock.nowMs()
    const planned = await this.#move(hour, before?.version ?? null, owner, {
      pipeline: this.#pipeline,
      hour: formatHour(hour),
      published: before?.record.published ?? null,
      attempt: { status: 'planned', generation, ...owner, startedAt: now, finishedAt: null, error: null },
    })
    // its name is ours since the record is; what stands there after a crash says the same
    const { store, clock } = this.#io
    const entry = encodeEntry({ ...owner, inputs })
    await patiently(clock, () => store.createOnly(this.#layout.plan(hour, generation), entry))
    return planned
  }

  /** The moment of truth: readers follow the new generation from here on. @throws FENCED */
  commit(
    hour: EpochMs,
    planned: VersionedRecord,
    published: Omit<PublishedHour, 'committedAt' | 'generation' | 'runId'>,
  ): Promise<VersionedRecord> {
    const { record, version } = planned
    const { generation, runId } = record.attempt
    const committedAt = this.#io.clock.nowMs()
    return this.#move(hour, version, record.attempt, {
      ...record,
      published: { ...published, generation, runId, committedAt },
      attempt: { ...record.attempt, status: 'committed' },
    })
  }

  /** Says that nothing is left to be done. @throws FENCED */
  finish(hour: EpochMs, { record, version }: VersionedRecord): Promise<VersionedRecord> {
    const attempt = { ...record.attempt, status: 'done', finishedAt: this.#io.clock.nowMs() } as const
    return this.#move(hour, version, record.attempt, { ...record, attempt })
  }

  /** Says why an hour was given up; what was published before stays. @throws FENCED */
  async fail(hour: EpochMs, owner: HourOwner, error: unknown): Promise<void> {
    const there = await this.read(hour)
    const { code, message } = toErrorRecord(error)
    const now = this.#io.clock.nowMs()
    const attempt = {
      status: 'failed',
      generation: there?.record.attempt.generation ?? 0,
      runId: owner.runId,
      epoch: owner.epoch,
      startedAt: there?.record.attempt.startedAt ?? now,
      finishedAt: now,
      error: { code, message },
    } as const
    if (there !== null && there.record.attempt.epoch > owner.epoch) throw fencedFrom(hour, owner)
    const record = { pipeline: this.#pipeline, hour: formatHour(hour), published: there?.record.published ?? null }
    await this.#move(hour, there?.version ?? null, owner, { ...record, attempt })
  }

  async #move(hour: EpochMs, expected: string | null, owner: HourOwner, record: HourRecord): Promise<VersionedRecord> {
    const moved = await replaceGuarded(this.#io, this.#layout.hour(hour), encodeHourRecord(record), expected)
    if (moved === 'conflict') throw fencedFrom(hour, owner)
    return { record, version: moved.version }
  }
}

const fencedFrom = (hour: EpochMs, { runId, epoch }: HourOwner): MillraceError =>
  new MillraceError('FENCED', `another run has taken over the hour ${formatHour(hour)} from run ${runId}`, {
    remedy: 'Nothing of this run became visible for the hour. Look at millrace tables, and start again if need be.',
    details: { hour: formatHour(hour), runId, epoch },
  })

const vanished = (key: string): MillraceError =>
  new MillraceError('STORE_FAILED', `${key} is listed and can't be read`, {
    remedy: 'Check that nothing else removes files there.',
    details: { key },
  })
