import { COLON, DOT, isDigit, LOWER_T, MINUS, PLUS, SPACE, ZERO } from './json-syntax.ts'

const MS_PER_DAY = 86_400_000
const MS_PER_MINUTE = 60_000
const LOWER_Z = 0x7a
/** Length of 'YYYY-MM-DD' and of 'hh:mm'. */
const DATE_LENGTH = 10
const MINUTES_LENGTH = 5

/** Days since 1970-01-01 of 'YYYY-MM-DD' in bytes [start, end); NaN where it is not one (the day must exist). */
export const parseDate = (bytes: Uint8Array, start: number, end: number): number => {
  if (end - start !== DATE_LENGTH || bytes[start + 4] !== MINUS || bytes[start + 7] !== MINUS) return Number.NaN
  const year = 100 * twoDigits(bytes, start) + twoDigits(bytes, start + 2)
  const month = twoDigits(bytes, start + 5)
  const day = twoDigits(bytes, start + 8)
  // Comparisons with NaN are false, so that a letter among the digits ends here.
  if (!(year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month))) return Number.NaN
  return daysFromCivil(year, month, day)
}

/**
 * Sets result[0] to the epoch milliseconds of an ISO 8601 text in bytes [start, end); false where it is not one.
 * A date, then optionally 'T' or a space, hh:mm, :ss, a fraction (digits beyond milliseconds are cut off), and a
 * zone: 'Z', ±hh:mm, ±hhmm or ±hh. Without a zone it is UTC. No leap seconds, no 24:00.
 */
export const parseTimestamp = (bytes: Uint8Array, start: number, end: number, result: Float64Array): boolean => {
  const dayEnd = start + DATE_LENGTH
  if (end < dayEnd) return false
  const separator = bytes[dayEnd] as number
  if (end > dayEnd && (separator | 0x20) !== LOWER_T && separator !== SPACE) return false
  const timeMs = end === dayEnd ? 0 : parseTime(bytes, dayEnd + 1, end)
  const ms = parseDate(bytes, start, dayEnd) * MS_PER_DAY + timeMs
  result[0] = ms
  return !Number.isNaN(ms)
}

/** Milliseconds since midnight UTC of 'hh:mm[:ss[.fraction]][zone]'; NaN where it is not that. */
const parseTime = (bytes: Uint8Array, start: number, end: number): number => {
  if (end - start < MINUTES_LENGTH) return Number.NaN
  let ms = parseMinutes(bytes, start) * MS_PER_MINUTE
  let at = start + MINUTES_LENGTH
  if (at < end && bytes[at] === COLON) {
    if (at + 3 > end) return Number.NaN
    const seconds = twoDigits(bytes, at + 1)
    if (!(seconds <= 59)) return Number.NaN
    ms += seconds * 1000
    at += 3
    if (at < end && bytes[at] === DOT) {
      const fraction = at + 1
      at = skipDigits(bytes, fraction, end)
      if (at === fraction) return Number.NaN
      ms += milliseconds(bytes, fraction, at)
    }
  }
  return ms - parseZone(bytes, at, end) * MS_PER_MINUTE
}

/** Minutes east of UTC. */
const parseZone = (bytes: Uint8Array, at: number, end: number): number => {
  if (at === end) return 0
  const first = bytes[at] as number
  if ((first | 0x20) === LOWER_Z) return at + 1 === end ? 0 : Number.NaN
  if (first !== PLUS && first !== MINUS) return Number.NaN
  const sign = first === PLUS ? 1 : -1
  const length = end - at - 1
  if (length === MINUTES_LENGTH) return sign * parseMinutes(bytes, at + 1)
  if (length !== 2 && length !== 4) return Number.NaN
  const hours = twoDigits(bytes, at + 1)
  const minutes = length === 4 ? twoDigits(bytes, at + 3) : 0
  return hours <= 23 && minutes <= 59 ? sign * (hours * 60 + minutes) : Number.NaN
}

/** Minutes since midnight of 'hh:mm'. */
const parseMinutes = (bytes: Uint8Array, at: number): number => {
  const hours = twoDigits(bytes, at)
  const minutes = twoDigits(bytes, at + 3)
  return bytes[at + 2] === COLON && hours <= 23 && minutes <= 59 ? hours * 60 + minutes : Number.NaN
}

const milliseconds = (bytes: Uint8Array, at: number, end: number): number => {
  let value = 0
  for (let i = 0; i < 3; i++) value = value * 10 + (at + i < end ? (bytes[at + i] as number) - ZERO : 0)
  return value
}

const twoDigits = (bytes: Uint8Array, at: number): number => {
  const tens = bytes[at] as number
  const units = bytes[at + 1] as number
  return isDigit(tens) && isDigit(units) ? 10 * (tens - ZERO) + (units - ZERO) : Number.NaN
}

const skipDigits = (bytes: Uint8Array, at: number, end: number): number => {
  while (at < end && isDigit(bytes[at] as number)) at++
  return at
}

const daysInMonth = (year: number, month: number): number => {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Howard Hinnant, chrono-Compatible Low-Level Date Algorithms, days_from_civil: years begin in March. */
const daysFromCivil = (year: number, month: number, day: number): number => {
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}
