import { MillraceError } from '../../base/errors.ts'
import type { JsonValue } from '../../base/json.ts'
import { type BatchId, batchId, type EpochMs, epochMs } from '../../base/units.ts'

/** An object of a view's log, with the last batch whose rows are in it. */
export interface LogObject {
  readonly key: string
  readonly size: number
  readonly crc32c: string
  readonly until: BatchId
}

/** A log is its last snapshot and the changes since, in order. */
export interface ViewManifest {
  readonly snapshot: LogObject | null
  readonly changes: readonly LogObject[]
}

/** What a commit says of a view: all that is needed to bring any Redis to the state after that batch. */
export interface ViewReceipt {
  /** Identifies the view in its store. */
  readonly owner: string
  /** Identifies the log; a view whose key or format changed, or whose checkpoint is new, begins another. */
  readonly log: string
  /** What the log's rows depend on in the pipeline. */
  readonly shape: string
  readonly batch: BatchId
  /** The batch before it in this log, `null` for the first. */
  readonly previous: BatchId | null
  readonly committedAt: EpochMs
  readonly watermark: EpochMs | null
  readonly manifest: ViewManifest
}

/** The receipt as plain data for the commit. */
export const writeReceipt = (receipt: ViewReceipt): JsonValue => ({
  ...receipt,
  manifest: {
    snapshot: plain(receipt.manifest.snapshot),
    changes: receipt.manifest.changes.map(each => ({ ...each })),
  },
})

const plain = (object: LogObject | null): JsonValue => (object === null ? null : { ...object })

/** Reads a receipt back from a commit. @throws CHECKPOINT_DAMAGED where it is not one */
export const readReceipt = (value: JsonValue, view: string): ViewReceipt => {
  const receipt = record(value)
  const manifest = record(receipt?.['manifest'])
  const changes = manifest?.['changes']
  if (receipt === null || manifest === null || !Array.isArray(changes)) throw damaged(view)
  const { previous, watermark } = receipt
  return {
    owner: text(receipt['owner'], view),
    log: text(receipt['log'], view),
    shape: text(receipt['shape'], view),
    batch: batchId(whole(receipt['batch'], view)),
    previous: previous === null ? null : batchId(whole(previous, view)),
    committedAt: epochMs(number(receipt['committedAt'], view)),
    watermark: watermark === null ? null : epochMs(number(watermark, view)),
    manifest: {
      snapshot: manifest['snapshot'] === null ? null : logObject(manifest['snapshot'], view),
      changes: changes.map((each: JsonValue) => logObject(each, view)),
    },
  }
}

type Fields = Readonly<Record<string, JsonValue>>

const logObject = (value: JsonValue | undefined, view: string): LogObject => {
  const fields = record(value)
  return {
    key: text(fields?.['key'], view),
    size: whole(fields?.['size'], view),
    crc32c: text(fields?.['crc32c'], view),
    until: batchId(whole(fields?.['until'], view)),
  }
}

const record = (value: JsonValue | undefined): Fields | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null

const text = (value: JsonValue | undefined, view: string): string => {
  if (typeof value === 'string' && value !== '') return value
  throw damaged(view)
}

const number = (value: JsonValue | undefined, view: string): number => {
  if (typeof value === 'number') return value
  throw damaged(view)
}

const whole = (value: JsonValue | undefined, view: string): number => {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw damaged(view)
}

const damaged = (view: string): MillraceError =>
  new MillraceError('CHECKPOINT_DAMAGED', `the receipt of the view ${view} in a commit can't be read`, {
    remedy: 'Restore the checkpoint folder from a backup, or start anew with --new-checkpoint.',
    details: { view },
  })
