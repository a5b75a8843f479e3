import { MillraceError } from './errors.ts'
import { type EpochMs, epochMs } from './units.ts'

/** A run of time: `from` inclusive, `until` exclusive. */
export interface TimeRange {
  readonly from: EpochMs
  readonly until: EpochMs
}

export const HOUR_MS = 3_600_000

/** Start of the UTC hour that holds a time. */
export const hourOf = (time: number): EpochMs => epochMs(Math.floor(time / HOUR_MS) * HOUR_MS)

/** An hour as people write it: `2026-01-15T10`. */
export const formatHour = (hour: EpochMs): string => new Date(hour).toISOString().slice(0, 13)

/** The hour as a range of time. */
export const hourRange = (hour: EpochMs): TimeRange => ({ from: hour, until: epochMs(hour + HOUR_MS) })

/** The hours of a range, in order. */
export const hoursOf = ({ from, until }: TimeRange): readonly EpochMs[] =>
  Array.from({ length: Math.max(0, Math.ceil((until - from) / HOUR_MS)) }, (_, at) => epochMs(from + at * HOUR_MS))

/** Reads `2026-01-15T10`; minutes and `Z` may follow if they are zero. @throws INVALID_USAGE */
export const parseHour = (text: string, what: string): EpochMs => {
  const [, hour] = /^(\d{4}-\d{2}-\d{2}T\d{2})(?::00(?::00(?:\.0+)?)?)?Z?$/.exec(text) ?? []
  const time = hour === undefined ? Number.NaN : Date.parse(`${hour}:00:00Z`)
  // the 30th of February would otherwise be the 2nd of March
  if (!Number.isNaN(time) && hour !== undefined && formatHour(epochMs(time)) === hour) return epochMs(time)
  throw new MillraceError('INVALID_USAGE', `${what} is not an hour: ${JSON.stringify(text)}`, {
    remedy: 'Write a UTC hour such as 2026-01-15T10.',
  })
}
