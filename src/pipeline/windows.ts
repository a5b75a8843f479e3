import { type DurationText, parseDuration } from '../base/duration.ts'
import { MillraceError } from '../base/errors.ts'
import { durationMs } from '../base/units.ts'
import type { TumblingWindow } from './plan.ts'

/** How event time is cut; made by `tumbling`. */
export type WindowSpec = Pick<TumblingWindow, 'sizeMs' | 'offsetMs'>

/**
 * Windows of equal size that follow each other without gap or overlap, from multiples of the size since the
 * epoch (UTC) on, shifted by `offset`. @throws INVALID_PIPELINE
 */
export const tumbling = (size: DurationText, options: { readonly offset?: DurationText } = {}): WindowSpec => {
  const sizeMs = parseDuration(size, 'window size')
  const offsetMs = parseDuration(options.offset ?? '0s', 'window offset')
  if (sizeMs < 1 || !Number.isInteger(sizeMs) || !Number.isInteger(offsetMs)) {
    throw new MillraceError('INVALID_PIPELINE', `a window of ${size} is too short`, {
      remedy: 'Use whole milliseconds, at least 1ms.',
    })
  }
  return { sizeMs, offsetMs: durationMs(offsetMs % sizeMs) }
}
