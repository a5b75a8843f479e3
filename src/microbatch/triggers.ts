import { type DurationText, parseDuration } from '../base/duration.ts'
import { MillraceError } from '../base/errors.ts'
import { type DurationMs, durationMs, type EpochMs, epochMs } from '../base/units.ts'

/** What starts a micro-batch. */
export type Trigger =
  /** As soon as there is data. */
  | { readonly kind: 'default' }
  /** At once, then at aligned ticks: multiples of the interval since the epoch. */
  | { readonly kind: 'processingTime'; readonly intervalMs: DurationMs }
  /** What is there at the start, in as many batches as it takes, and then ends. */
  | { readonly kind: 'availableNow'; readonly flush: boolean }

export const defaultTrigger: Trigger = Object.freeze({ kind: 'default' })

/** A batch at once, then at each multiple of `interval`. Ticks that pass while a batch runs are not made up for: the next batch starts at once. */
export const processingTime = (interval: DurationText): Trigger => {
  const intervalMs = parseDuration(interval, 'trigger interval')
  if (intervalMs < 1) {
    throw new MillraceError('INVALID_CONFIG', `a trigger interval of ${interval} is too short`, {
      remedy: 'Use 1ms or more, or leave the trigger out: a batch then starts as soon as there is data.',
    })
  }
  return Object.freeze({ kind: 'processingTime', intervalMs })
}

/**
 * Reads what is there now and stops. Windows that the watermark has not closed stay open for the next run, unless
 * `flush` closes them all at the end.
 */
export const availableNow = (options: { readonly flush?: boolean } = {}): Trigger =>
  Object.freeze({ kind: 'availableNow', flush: options.flush ?? false })

/**
 * When the next batch is due, given when the one before was. The first is due at once, as in Spark, so that a restart costs no
 * interval; those after it at multiples of the interval. After a batch that overran its interval the next one is due at the latest tick that has passed.
 */
export const nextTick = (interval: DurationMs, previousTick: EpochMs | null, now: EpochMs): EpochMs => {
  if (previousTick === null) return now
  const multipleBefore = (time: EpochMs): number => Math.floor(time / interval) * interval
  const next = Math.max(multipleBefore(previousTick) + interval, multipleBefore(now))
  // a clock that was set back must not make the stream wait until it is there again
  return epochMs(next - now > interval ? multipleBefore(now) + interval : next)
}

/** The length of time that a batch's rows are planned for. */
export const plannedInterval = (trigger: Trigger, target: DurationMs): DurationMs =>
  trigger.kind === 'processingTime' ? trigger.intervalMs : durationMs(target)
