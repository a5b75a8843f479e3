import { assert } from '../base/assert.ts'
import { asMillraceError, MillraceError } from '../base/errors.ts'
import type { EpochMs } from '../base/units.ts'
import { decodeEntry, encodeEntry } from '../checkpoint/entry-codec.ts'

/**
 * What is known of one hour of one pipeline: which generation readers are to follow, and how the last attempt at the
 * hour stands. A small object that is only ever replaced under its version.
 */
export interface HourRecord {
  readonly pipeline: string
  /** `2026-01-15T10`. */
  readonly hour: string
  /** `null` before the first generation was committed. */
  readonly published: PublishedHour | null
  readonly attempt: HourAttempt
}

/** A committed generation. All tables of an hour move together. */
export interface PublishedHour {
  readonly generation: number
  readonly runId: string
  readonly committedAt: EpochMs
  readonly source: BatchSource
  readonly rowsRead: number
  readonly tables: readonly PublishedTable[]
}

export interface PublishedTable {
  readonly table: string
  readonly rows: number
  readonly files: readonly PublishedFile[]
}

export interface PublishedFile {
  readonly key: string
  /** Folder within the table beyond the hour's: `country=DE`, or ''. */
  readonly partition: string
  readonly size: number
  readonly rows: number
}

export type BatchSource = 'landed' | 'kafka'

/** `planned`: under way, or left by a crash. `committed`: counts; plain copies may be missing. `done`, `failed`: over. */
export interface HourAttempt {
  readonly status: 'planned' | 'committed' | 'done' | 'failed'
  readonly generation: number
  readonly runId: string
  /** Of the claim that it was made under; a higher one fences it. */
  readonly epoch: number
  readonly startedAt: EpochMs
  readonly finishedAt: EpochMs | null
  readonly error: { readonly code: string; readonly message: string } | null
}

/** The record as bytes, with a checksum of its own. */
export const encodeHourRecord = (record: HourRecord): Uint8Array => encodeEntry(record)

/** @throws BATCH_LOG_DAMAGED */
export const decodeHourRecord = (key: string, bytes: Uint8Array): HourRecord => {
  try {
    const record = decodeEntry(key, bytes) as unknown as HourRecord
    assert(typeof record.hour === 'string' && typeof record.attempt.generation === 'number', 'it is an hour record')
    return record
  } catch (error) {
    throw batchLogDamaged(key, error)
  }
}

/** An object of the batch log is not what was written. */
export const batchLogDamaged = (key: string, cause: unknown): MillraceError =>
  new MillraceError('BATCH_LOG_DAMAGED', `${key} can't be read: ${asMillraceError(cause).message}`, {
    remedy: 'Restore it from a backup, or remove it and compute its hours again with millrace backfill.',
    cause,
    details: { key },
  })
