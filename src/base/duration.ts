import { MillraceError } from './errors.ts'
import { type DurationMs, durationMs } from './units.ts'

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A length of time as users write it: '200ms', '10s', '1m', '2h', '7d', or a number of milliseconds. */
export type DurationText = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

/** @throws INVALID_CONFIG where the text is not a duration. */
export const parseDuration = (text: string | number, what = 'duration'): DurationMs => {
  if (typeof text === 'number' && Number.isFinite(text) && text >= 0) return durationMs(text)
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(String(text))
  const size = UNIT_MS[match?.[2] ?? '']
  if (match?.[1] === undefined || size === undefined) {
    throw new MillraceError('INVALID_CONFIG', `${what} is not a length of time: ${JSON.stringify(text)}`, {
      remedy: "Write a number and a unit: '200ms', '10s', '1m', '2h' or '7d'.",
    })
  }
  return durationMs(Number(match[1]) * size)
}

/** The shortest exact way to write a duration, as `parseDuration` reads it. */
export const formatDuration = (duration: DurationMs): string => {
  for (const name of ['d', 'h', 'm', 's']) {
    const size = UNIT_MS[name] ?? 1
    if (duration >= size && duration % size === 0) return `${duration / size}${name}`
  }
  return `${duration}ms`
}
