import { hoursOf, parseHour, type TimeRange } from '../base/hours.ts'
import type { EpochMs } from '../base/units.ts'
import type { GuardedStore } from './guarded-object.ts'
import { HourLog } from './hour-log.ts'
import type { HourRecord, PublishedFile } from './hour-record.ts'

/** An hour of a batch table as its record says. */
export interface PublishedTableHour {
  readonly hour: EpochMs
  readonly generation: number
  readonly committedAt: EpochMs
  readonly rows: number
  readonly files: readonly PublishedFile[]
}

/** The hours of a table that have a generation that counts, in order, from records. Pure. */
export const publishedHours = (records: readonly HourRecord[], table: string): readonly PublishedTableHour[] =>
  records.flatMap(({ hour, published }) => {
    const found = published?.tables.find(each => each.table === table)
    if (published === null || found === undefined) return []
    const { generation, committedAt } = published
    return [
      { hour: parseHour(hour, 'hour of a record'), generation, committedAt, rows: found.rows, files: found.files },
    ]
  })

/**
 * The hours of a range that have results, each with the files of the generation that counts at this moment. Hours that
 * were never computed are missing: ask the live view for them.
 */
export const publishedWithin = async (
  io: GuardedStore,
  pipeline: string,
  table: string,
  range: TimeRange,
): Promise<readonly PublishedTableHour[]> => {
  const log = new HourLog(io, pipeline)
  const records: HourRecord[] = []
  for (const hour of hoursOf(range)) {
    const there = await log.read(hour)
    if (there !== null) records.push(there.record)
  }
  return publishedHours(records, table)
}
