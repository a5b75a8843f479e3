import { byteAt, DOT, digitRun, INVALID_JSON, isDigit, LOWER_E, MINUS, PLUS, skipNumber, ZERO } from './json-syntax'

/** Most digits of a whole number that a double surely holds. */
const EXACT_DIGITS: i32 = 15
/** Most digits of an int64. */
const INT64_DIGITS: i32 = 19
/** Exponents are counted no further; what is beyond is zero, infinite or out of range anyway. */
const MAX_EXPONENT: i32 = 100_000_000
/** The powers of ten that a double holds exactly. */
const POWERS: usize = memory.data<f64>([
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
  1e21, 1e22,
])
/** Splits a double into two halves of 26 bits (Dekker 1971). */
const SPLITTER: f64 = 134_217_729
/** 2^-50: more than the relative error of a correction term, which is a few roundings of 2^-53 each. */
const CORRECTION_ERROR: f64 = 8.881784197001252e-16

/** The double nearest to the number written in [start, end): the language's own, for what is not certain here. */
declare function parseDouble(start: i32, end: i32): f64

/** What came of reading a whole number. */
export const WHOLE: i32 = 0
export const NOT_WHOLE: i32 = 1
export const TOO_BIG: i32 = 2

/** Results of the readers, since a function answers one value only. */
export let double: f64 = 0
export let integer: i64 = 0
export let outcome: i32 = WHOLE

/** The number that up to 8 digits write, the first of them in the lowest byte: pairs, then fours, then all (Lemire 2018). */
function eightDigits(bytes: u64, count: i32): i64 {
  // zeros come in before the digits
  const digits = (bytes << ((<u64>(8 - count)) << 3)) & 0x0f0f_0f0f_0f0f_0f0f
  const pairs = ((digits * 2561) >> 8) & 0x00ff_00ff_00ff_00ff
  const fours = ((pairs * 6_553_601) >> 16) & 0x0000_ffff_0000_ffff
  return <i64>((fours * 42_949_672_960_001) >> 32)
}

/** The number that 1 to 15 digits at `at` write. */
function decimal(at: i32, count: i32): i64 {
  if (count <= 8) return eightDigits(load<u64>(at), count)
  return eightDigits(load<u64>(at), 8) * <i64>powerOfTen(count - 8) + eightDigits(load<u64>(at, 8), count - 8)
}

function powerOfTen(exponent: i32): f64 {
  return load<f64>(POWERS + ((<usize>exponent) << 3))
}

/** Reads a double as JSON.parse does (correctly rounded) into `double`; answers the address behind it or INVALID_JSON. */
export function readDouble(start: i32, end: i32): i32 {
  const negative = byteAt(start) == MINUS
  const whole = negative ? start + 1 : start
  const digits = digitRun(whole, end)
  if (digits == 0 || (digits > 1 && byteAt(whole) == ZERO)) return INVALID_JSON
  let at = whole + digits
  let decimals = 0
  if (at < end && byteAt(at) == DOT) {
    decimals = digitRun(at + 1, end)
    if (decimals == 0) return INVALID_JSON
    at += 1 + decimals
  }
  if (digits + decimals > EXACT_DIGITS || (at < end && (byteAt(at) | 0x20) == LOWER_E))
    return readLongDouble(start, end)
  // Clinger's fast path: both operands are exact, so that one rounding gives the nearest double.
  let value = <f64>decimal(whole, digits)
  if (decimals != 0) {
    const power = powerOfTen(decimals)
    value = (value * power + <f64>decimal(at - decimals, decimals)) / power
  }
  double = negative ? -value : value
  return at
}

/** With an exponent, or more digits than a double surely holds. */
function readLongDouble(start: i32, end: i32): i32 {
  const after = skipNumber(start, end)
  if (after >= 0 && !roundDecimal(start, after)) double = parseDouble(start, after)
  return after
}

/**
 * Sets `double` to the double nearest to the number in [start, end). Answers false where that is not certain, or the
 * number has more than 19 digits or a far exponent.
 */
function roundDecimal(start: i32, end: i32): bool {
  const negative = byteAt(start) == MINUS
  let at = negative ? start + 1 : start
  let upper: i64 = 0
  let lower: i64 = 0
  let digits = 0
  let fraction = -1
  for (; at < end && (byteAt(at) | 0x20) != LOWER_E; at++) {
    const byte = byteAt(at)
    if (byte == DOT) {
      fraction = at + 1
    } else if (digits > 0 || byte != ZERO) {
      if (digits < EXACT_DIGITS) upper = upper * 10 + (byte - ZERO)
      else lower = lower * 10 + (byte - ZERO)
      if (++digits > INT64_DIGITS) return false
    }
  }
  const shift = fraction < 0 ? 0 : fraction - at
  const exponent = at < end ? shift + exponentOf(at + 1, end) : shift
  double = <f64>upper
  if (digits > 0 && !scale(<f64>lower, max(0, digits - EXACT_DIGITS), exponent)) return false
  if (negative) double = -double
  return true
}

/** The rounding error of the last product. */
let productRest: f64 = 0

/** a times 10^exponent; `productRest` is what rounding took away, exactly. */
function multiply(a: f64, exponent: i32): f64 {
  const power = powerOfTen(exponent)
  const product = a * power
  const aSplit = SPLITTER * a
  const aHigh = aSplit - (aSplit - a)
  const aLow = a - aHigh
  const bSplit = SPLITTER * power
  const bHigh = bSplit - (bSplit - power)
  const bLow = power - bHigh
  productRest = aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow
  return product
}

/**
 * Makes `double` the double nearest to (double · 10^lowerDigits + lower) · 10^exponent, where that is certain: a head
 * and a correction term, about 106 bits together (Dekker, A Floating-Point Technique for Extending the Available
 * Precision, 1971), and a look whether the error of the correction could change the rounding.
 */
function scale(lower: f64, lowerDigits: i32, exponent: i32): bool {
  if (exponent < -22 || exponent > 22) return false
  const size = abs(exponent)
  const power = powerOfTen(size)
  const product = multiply(double, lowerDigits)
  const sum = product + lower
  const sumRest = productRest + (lower - (sum - product))
  const high = sum + sumRest
  const low = sumRest - (high - sum)

  const divided = exponent < 0
  const quotient = high / power
  const back = multiply(divided ? quotient : high, size)
  const rest = divided ? high - back - productRest : productRest
  const head = divided ? quotient : back
  const correction = divided ? (rest + low) / power : rest + low * power
  const magnitude = divided ? abs(correction) : abs(rest) + abs(low * power)
  const nearest = head + correction
  const off = correction - (nearest - head)
  double = nearest
  const doubt = magnitude * CORRECTION_ERROR
  return nearest + (off + doubt) == nearest && nearest + (off - doubt) == nearest
}

/** The exponent whose sign or first digit is at `at`. */
function exponentOf(at: i32, end: i32): i32 {
  const negative = byteAt(at) == MINUS
  if (negative || byteAt(at) == PLUS) at++
  let value = 0
  for (; at < end; at++) value = min(MAX_EXPONENT, value * 10 + (byteAt(at) - ZERO))
  return negative ? -value : value
}

/**
 * Reads a whole number of up to 64 bits into `integer`, exactly; 1.0 and 1e3 are whole numbers. Sets `outcome`.
 * Answers the address behind the number or INVALID_JSON.
 */
export function readInteger(start: i32, end: i32): i32 {
  const negative = byteAt(start) == MINUS
  const whole = negative ? start + 1 : start
  const digits = digitRun(whole, end)
  const at = whole + digits
  if (digits == 0 || (digits > 1 && byteAt(whole) == ZERO)) return INVALID_JSON
  const next = at < end ? byteAt(at) : 0
  if (digits > EXACT_DIGITS || next == DOT || (next | 0x20) == LOWER_E) return readWideInteger(start, end)
  const value = decimal(whole, digits)
  outcome = WHOLE
  integer = negative ? -value : value
  return at
}

/** More than 15 digits, a fraction or an exponent: finds the digits that count, then how far they are shifted. */
function readWideInteger(start: i32, end: i32): i32 {
  const after = skipNumber(start, end)
  if (after < 0) return after
  const negative = byteAt(start) == MINUS
  let at = negative ? start + 1 : start
  let count = 0
  let countToLastNonZero = 0
  let value: u64 = 0
  let valueToLastNonZero: u64 = 0
  let fraction = -1
  for (; at < after && (byteAt(at) | 0x20) != LOWER_E; at++) {
    const byte = byteAt(at)
    if (byte == DOT) fraction = at + 1
    else if (count > 0 || byte != ZERO) {
      value = value * 10 + <u64>(byte - ZERO)
      count++
      if (byte != ZERO) {
        countToLastNonZero = count
        valueToLastNonZero = value
      }
    }
  }
  const shift = (at < after ? exponentOf(at + 1, after) : 0) - (fraction < 0 ? 0 : at - fraction)
  setInteger(valueToLastNonZero, countToLastNonZero, shift + count - countToLastNonZero, negative)
  return after
}

/** `count` digits, the last one not zero, followed by `zeros` zeros (a fraction where that is negative). */
function setInteger(value: u64, count: i32, zeros: i32, negative: bool): void {
  outcome = WHOLE
  integer = 0
  if (count == 0) return
  if (zeros < 0) {
    outcome = NOT_WHOLE
  } else if (count + zeros > INT64_DIGITS) {
    outcome = TOO_BIG
  } else {
    for (let i = 0; i < zeros; i++) value *= 10
    const limit: u64 = <u64>i64.MAX_VALUE + (negative ? 1 : 0)
    if (value > limit) outcome = TOO_BIG
    else integer = negative ? -(<i64>value) : <i64>value
  }
}
