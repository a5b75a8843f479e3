import { MillraceError } from '../base/errors.ts'
import { HOUR_MS, hourOf, hoursOf, type TimeRange } from '../base/hours.ts'
import type { JsonValue } from '../base/json.ts'
import { type EpochMs, epochMs } from '../base/units.ts'
import type { Split } from '../executor/task.ts'
import type { SplitObject } from '../ingest/object-split.ts'
import type { LandedTable } from '../pipeline/landed.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { hourFolder } from './batch-layout.ts'
import type { BatchParts } from './batch-parts.ts'
import { type HourInput, inputOf } from './batch-plan.ts'
import { cutRanges, packObjects } from './pack-splits.ts'

/** What an hour is computed from. */
export interface HourPlan {
  readonly hour: EpochMs
  readonly splits: readonly Split[]
  readonly bytes: number
  /** The same for the log: plain data. */
  readonly inputs: JsonValue
}

/** Finds the splits that hold an hour's rows. @throws STORE_FAILED, what the broker throws, INVALID_USAGE */
export const planHour = async (parts: BatchParts, hour: EpochMs): Promise<HourPlan> => {
  const input = inputOf(parts.batch, hour)
  return parts.source === 'landed' ? landedPlan(parts, hour, input) : recordedPlan(parts, hour, input)
}

const landedPlan = async (parts: BatchParts, hour: EpochMs, { within }: HourInput): Promise<HourPlan> => {
  const { batch, landedStore, settings } = parts
  if (batch.landed === null) throw notLanded(batch.plan.name)
  const objects =
    within !== null && within.until <= within.from ? [] : await landedObjects(landedStore, batch.landed, within)
  return {
    hour,
    splits: packObjects(objects, settings.splits).map(pack => ({ kind: 'objects', objects: pack, within })),
    bytes: objects.reduce((bytes, { size }) => bytes + size, 0),
    inputs: objects.map(({ key, size }) => ({ key, size })),
  }
}

/** Rows that no range of time is known for may have been recorded at any time from the hour on. */
const recordedPlan = async (parts: BatchParts, hour: EpochMs, { within }: HourInput): Promise<HourPlan> => {
  if (parts.recordedWithin === null) throw notRecorded(parts.batch.plan.name)
  const ranges = await parts.recordedWithin(within ?? { from: hour, until: epochMs(hour + HOUR_MS) })
  return {
    hour,
    splits: cutRanges(ranges, parts.settings.maxSplitRows).map(range => ({ ranges: [range] })),
    bytes: 0,
    inputs: ranges.map(range => ({ ...range })),
  }
}

/** Files of a landed table that may hold rows of the range: the folders of its hours, or all. */
const landedObjects = async (
  store: ObjectStore,
  { table, partitionBy }: LandedTable,
  within: (TimeRange & { readonly column: string }) | null,
): Promise<readonly SplitObject[]> => {
  const byHour = within !== null && partitionBy.kind === 'hour' && partitionBy.column === within.column
  const folders = byHour
    ? hoursOf({ from: hourOf(within.from), until: within.until }).map(hour => `${table}/${hourFolder(hour)}/`)
    : [`${table}/`]
  const objects: SplitObject[] = []
  for (const folder of folders) {
    for await (const { key, size } of store.list(folder)) if (key.endsWith('.parquet')) objects.push({ key, size })
  }
  return objects
}

const notLanded = (pipeline: string): MillraceError =>
  new MillraceError('INVALID_USAGE', `the source of ${pipeline} does not say which table it is landed in`, {
    remedy: "Add landed: 'raw/plays' to the source, or read Kafka again: --source kafka.",
  })

const notRecorded = (pipeline: string): MillraceError =>
  new MillraceError('INVALID_USAGE', `the source of ${pipeline} is no Kafka topic`, {
    remedy: 'Use --source landed.',
  })
