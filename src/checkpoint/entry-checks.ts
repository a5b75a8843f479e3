import type { JsonValue } from '../base/json.ts'
import type { CheckpointHeader, CommitEntry, PlanEntry } from './entries.ts'
import { damaged } from './entry-codec.ts'

/**
 * Entries are trusted only after a look at their parts: an entry of another batch, or one that lacks something, is
 * damage that would otherwise show as lost rows much later.
 */
type Fields = Readonly<Record<string, JsonValue>>
type Check = (value: JsonValue | undefined) => boolean

const isWhole: Check = value => Number.isSafeInteger(value) && (value as number) >= 0
const isNumber: Check = value => typeof value === 'number'
const isText: Check = value => typeof value === 'string'
const isFlag: Check = value => typeof value === 'boolean'
const isPresent: Check = value => value !== undefined
const isRecord = (value: JsonValue | undefined): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isListOf =
  (item: Check): Check =>
  value =>
    Array.isArray(value) && value.every(item)
const isNullOr =
  (check: Check): Check =>
  value =>
    value === null || check(value)
const isShaped =
  (shape: Readonly<Record<string, Check>>): Check =>
  value =>
    isRecord(value) && Object.entries(shape).every(([name, check]) => check(value[name]))

const RANGE = isShaped({ topic: isText, partition: isWhole, from: isWhole, until: isWhole })
const STATE_OBJECT = isShaped({ key: isText, size: isWhole, crc32c: isText })
const MANIFEST = isShaped({ snapshot: isNullOr(STATE_OBJECT), changes: isListOf(STATE_OBJECT) })
const PARTITION = isShaped({
  topic: isText,
  partition: isWhole,
  offset: isWhole,
  maxEventTimes: isListOf(isNullOr(isNumber)),
  lastRowsAt: isNumber,
})
const OWNED = { batchId: isWhole, epoch: isWhole, nonce: isText }
const PLAN = {
  ...OWNED,
  triggeredAt: isNumber,
  ranges: isListOf(RANGE),
  watermarks: isListOf(isNumber),
  flush: isFlag,
}
const COMMIT = {
  ...OWNED,
  committedAt: isNumber,
  partitions: isListOf(PARTITION),
  watermarks: isListOf(isNumber),
  receipts: isListOf(isPresent),
  state: isListOf(isNullOr(MANIFEST)),
  rate: isPresent,
  ledger: isPresent,
}
const HEADER = { format: isWhole, pipeline: isText, sourceIdentity: isText, shape: isPresent }

const requireShape = (key: string, entry: Fields, shape: Readonly<Record<string, Check>>): Fields => {
  for (const [name, check] of Object.entries(shape)) {
    if (!check(entry[name])) throw damaged(key, `its ${name} is not what it should be`)
  }
  return entry
}

const requireBatch = (key: string, entry: Fields, batch: number): Fields => {
  if (entry['batchId'] !== batch) throw damaged(key, `it belongs to batch ${JSON.stringify(entry['batchId'])}`)
  return entry
}

/** @throws CHECKPOINT_DAMAGED */
export const readPlanEntry = (key: string, entry: Fields, batch: number): PlanEntry =>
  requireBatch(key, requireShape(key, entry, PLAN), batch) as unknown as PlanEntry

/** @throws CHECKPOINT_DAMAGED */
export const readCommitEntry = (key: string, entry: Fields, batch: number): CommitEntry =>
  requireBatch(key, requireShape(key, entry, COMMIT), batch) as unknown as CommitEntry

/** @throws CHECKPOINT_DAMAGED */
export const readHeader = (key: string, entry: Fields): CheckpointHeader =>
  requireShape(key, entry, HEADER) as unknown as CheckpointHeader
