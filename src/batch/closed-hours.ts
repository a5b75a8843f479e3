import { HOUR_MS, hourOf } from '../base/hours.ts'
import { type DurationMs, type EpochMs, epochMs } from '../base/units.ts'
import type { BatchPlan } from './batch-plan.ts'

/** The longest window of a plan, which may start at the very end of an hour. */
const longestWindow = ({ branches }: BatchPlan): number =>
  branches.reduce((longest, { window }) => Math.max(longest, window?.sizeMs ?? 0), 0)

/**
 * The first hour that is not closed yet: an hour is, once the watermark has passed its end, the end of the windows that start
 * in it, and the grace after that. Pure.
 */
export const firstOpenHour = (batch: BatchPlan, watermark: EpochMs, grace: DurationMs): EpochMs =>
  hourOf(watermark - grace - longestWindow(batch))

/** Hours that are due: closed, not computed, and no older than `catchUp` before the first open one. Pure. */
export const dueHours = (next: EpochMs, firstOpen: EpochMs, catchUp: DurationMs): readonly EpochMs[] => {
  const from = Math.max(next, hourOf(firstOpen - catchUp))
  return Array.from({ length: Math.max(0, (firstOpen - from) / HOUR_MS) }, (_, at) => epochMs(from + at * HOUR_MS))
}

/** The hour of the first window that rows at `first` or later fall into. Pure. */
export const hourOfFirstWindow = ({ branches }: BatchPlan, first: EpochMs): EpochMs =>
  branches.reduce((earliest, { window }) => {
    if (window === null) return earliest
    const { sizeMs, offsetMs } = window
    const start = Math.floor((first - offsetMs) / sizeMs) * sizeMs + offsetMs
    return epochMs(Math.min(earliest, hourOf(epochMs(start))))
  }, hourOf(first))
