import { byteAt, COLON, DOT, isDigit, LOWER_T, MINUS, PLUS, SPACE, skipDigits, ZERO } from './json-syntax'

const MS_PER_DAY: i64 = 86_400_000
const MS_PER_MINUTE: i64 = 60_000
const LOWER_Z: i32 = 0x7a
/** Length of 'YYYY-MM-DD' and of 'hh:mm'. */
const DATE_LENGTH: i32 = 10
const MINUTES_LENGTH: i32 = 5
/** Answered for what is no number; it and sums with it stay far below every real one. */
const NONE: i32 = -100_000_000

/** Results of the parsers. */
export let days: i32 = 0
export let milliseconds: i64 = 0

/** Sets `days` to the days since 1970-01-01 of 'YYYY-MM-DD'; false where [start, end) is not one (the day must exist). */
export function parseDate(start: i32, end: i32): bool {
  if (end - start != DATE_LENGTH || byteAt(start + 4) != MINUS || byteAt(start + 7) != MINUS) return false
  const century = twoDigits(start)
  const yearOfCentury = twoDigits(start + 2)
  const month = twoDigits(start + 5)
  const day = twoDigits(start + 8)
  if (century < 0 || yearOfCentury < 0 || month < 1 || month > 12 || day < 1) return false
  const year = 100 * century + yearOfCentury
  if (day > daysInMonth(year, month)) return false
  days = daysFromCivil(year, month, day)
  return true
}

/**
 * Sets `milliseconds` to the epoch milliseconds of an ISO 8601 text in [start, end); false where it is not one. A date,
 * then optionally 'T' or a space, hh:mm, :ss, a fraction (digits beyond milliseconds are cut off), and a zone: 'Z',
 * ±hh:mm, ±hhmm or ±hh. Without a zone it is UTC. No leap seconds, no 24:00.
 */
export function parseTimestamp(start: i32, end: i32): bool {
  const dayEnd = start + DATE_LENGTH
  if (end < dayEnd || !parseDate(start, dayEnd)) return false
  milliseconds = <i64>days * MS_PER_DAY
  if (end == dayEnd) return true
  const separator = byteAt(dayEnd)
  if ((separator | 0x20) != LOWER_T && separator != SPACE) return false
  return addTime(dayEnd + 1, end)
}

/** Adds the time 'hh:mm[:ss[.fraction]][zone]' to `milliseconds`. */
function addTime(start: i32, end: i32): bool {
  if (end - start < MINUTES_LENGTH) return false
  const minutes = parseMinutes(start)
  if (minutes < 0) return false
  let ms: i64 = 0
  let at = start + MINUTES_LENGTH
  if (at < end && byteAt(at) == COLON) {
    if (at + 3 > end) return false
    const seconds = twoDigits(at + 1)
    if (seconds < 0 || seconds > 59) return false
    ms = seconds * 1000
    at += 3
    if (at < end && byteAt(at) == DOT) {
      const fraction = at + 1
      at = skipDigits(fraction, end)
      if (at == fraction) return false
      ms += thousandths(fraction, at)
    }
  }
  const zone = parseZone(at, end)
  if (zone == NONE) return false
  milliseconds += <i64>(minutes - zone) * MS_PER_MINUTE + ms
  return true
}

/** Minutes east of UTC, or NONE. */
function parseZone(at: i32, end: i32): i32 {
  if (at == end) return 0
  const first = byteAt(at)
  if ((first | 0x20) == LOWER_Z) return at + 1 == end ? 0 : NONE
  if (first != PLUS && first != MINUS) return NONE
  const length = end - at - 1
  let minutes = NONE
  if (length == MINUTES_LENGTH) {
    minutes = parseMinutes(at + 1)
  } else if (length == 2 || length == 4) {
    const hours = twoDigits(at + 1)
    const rest = length == 4 ? twoDigits(at + 3) : 0
    if (hours >= 0 && hours <= 23 && rest >= 0 && rest <= 59) minutes = hours * 60 + rest
  }
  if (minutes < 0) return NONE
  return first == PLUS ? minutes : -minutes
}

/** Minutes since midnight of 'hh:mm', or NONE. */
function parseMinutes(at: i32): i32 {
  const hours = twoDigits(at)
  const minutes = twoDigits(at + 3)
  const good = byteAt(at + 2) == COLON && hours >= 0 && hours <= 23 && minutes >= 0 && minutes <= 59
  return good ? hours * 60 + minutes : NONE
}

function thousandths(at: i32, end: i32): i32 {
  let value = 0
  for (let i = 0; i < 3; i++) value = value * 10 + (at + i < end ? byteAt(at + i) - ZERO : 0)
  return value
}

/** Two digits as a number, or NONE. */
function twoDigits(at: i32): i32 {
  const tens = byteAt(at)
  const units = byteAt(at + 1)
  return isDigit(tens) && isDigit(units) ? 10 * (tens - ZERO) + (units - ZERO) : NONE
}

function daysInMonth(year: i32, month: i32): i32 {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31
}

/** Howard Hinnant, chrono-Compatible Low-Level Date Algorithms, days_from_civil: years begin in March. */
function daysFromCivil(year: i32, month: i32, day: i32): i32 {
  const shifted = month <= 2 ? year - 1 : year
  // no year is below 0, but the January of year 0 belongs to the year before
  const era = (shifted >= 0 ? shifted : shifted - 399) / 400
  const yearOfEra = shifted - era * 400
  const dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
  const dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}
