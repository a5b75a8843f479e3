import { DOT, LOWER_E, MINUS, PLUS, ZERO } from './json-syntax.ts'

/** Most digits of a whole number that a double surely holds. */
export const EXACT_DIGITS = 15
/** More digits than these are left to the language. */
const MOST_DIGITS = 19
/** Exponents are counted no further; what is beyond is zero, infinite or out of range anyway. */
const MAX_EXPONENT = 100_000_000
/** The powers of ten that a double holds exactly. */
export const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`))
/** Splits a double into two halves of 26 bits (Dekker 1971). */
const SPLITTER = 2 ** 27 + 1
/** More than the relative error of a correction term, which is a few roundings of 2^-53 each. */
const CORRECTION_ERROR = 2 ** -50

/**
 * Sets result[0] to the double nearest to the JSON number written as bytes[start, end), without making a string.
 * Answers false where that is not certain, or the number has more than 19 digits or a far exponent: then
 * result[0] means nothing.
 */
export const roundDecimal = (bytes: Uint8Array, start: number, end: number, result: Float64Array): boolean => {
  const negative = bytes[start] === MINUS
  let at = negative ? start + 1 : start
  let upper = 0
  let lower = 0
  let digits = 0
  let fraction = -1
  for (; at < end && ((bytes[at] as number) | 0x20) !== LOWER_E; at++) {
    const byte = bytes[at] as number
    if (byte === DOT) {
      fraction = at + 1
    } else if (digits > 0 || byte !== ZERO) {
      if (digits < EXACT_DIGITS) upper = upper * 10 + (byte - ZERO)
      else lower = lower * 10 + (byte - ZERO)
      if (++digits > MOST_DIGITS) return false
    }
  }
  const shift = fraction < 0 ? 0 : fraction - at
  const exponent = at < end ? shift + exponentOf(bytes, at + 1, end) : shift
  terms[0] = upper
  terms[1] = lower
  if (digits > 0 && !scale(Math.max(0, digits - EXACT_DIGITS), exponent)) return false
  result[0] = negative ? -(terms[0] as number) : (terms[0] as number)
  return true
}

/** Where doubles go to and fro: as arguments and results of functions that are not inlined they would be boxed. */
const terms = new Float64Array(2)

/**
 * Makes terms[0] the double nearest to (terms[0] · 10^lowerDigits + terms[1]) · 10^exponent, where that is certain.
 *
 * Computes a head and a correction term, about 106 bits together (Dekker, A Floating-Point Technique for Extending
 * the Available Precision, 1971), and looks whether the error of the correction could change the rounding.
 */
const scale = (lowerDigits: number, exponent: number): boolean => {
  if (exponent < -22 || exponent > 22) return false
  const lower = terms[1] as number
  const power = POWERS_OF_TEN[Math.abs(exponent)] as number
  multiply(lowerDigits)
  const product = terms[0] as number
  const sum = product + lower
  const sumRest = (terms[1] as number) + (lower - (sum - product))
  const high = sum + sumRest
  const low = sumRest - (high - sum)

  const quotient = high / power
  terms[0] = exponent < 0 ? quotient : high
  multiply(Math.abs(exponent))
  const back = terms[0] as number
  const rest = exponent < 0 ? high - back - (terms[1] as number) : (terms[1] as number)
  const head = exponent < 0 ? quotient : back
  const correction = exponent < 0 ? (rest + low) / power : rest + low * power
  const size = exponent < 0 ? Math.abs(correction) : Math.abs(rest) + Math.abs(low * power)
  const nearest = head + correction
  const off = correction - (nearest - head)
  terms[0] = nearest
  const doubt = size * CORRECTION_ERROR
  return nearest + (off + doubt) === nearest && nearest + (off - doubt) === nearest
}

/** Makes terms[0] the product of terms[0] and 10^exponent, and terms[1] its rounding error, exactly. */
const multiply = (exponent: number): void => {
  const power = POWERS_OF_TEN[exponent] as number
  const a = terms[0] as number
  const product = a * power
  const aSplit = SPLITTER * a
  const aHigh = aSplit - (aSplit - a)
  const aLow = a - aHigh
  const bSplit = SPLITTER * power
  const bHigh = bSplit - (bSplit - power)
  const bLow = power - bHigh
  terms[0] = product
  terms[1] = aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow
}

/** The exponent whose sign or first digit is at `at`. */
export const exponentOf = (bytes: Uint8Array, at: number, end: number): number => {
  const negative = bytes[at] === MINUS
  if (negative || bytes[at] === PLUS) at++
  let value = 0
  for (; at < end; at++) value = Math.min(MAX_EXPONENT, value * 10 + ((bytes[at] as number) - ZERO))
  return negative ? -value : value
}
