import { EXACT_DIGITS, exponentOf, POWERS_OF_TEN, roundDecimal } from './json-doubles.ts'
import { DOT, INVALID_JSON, isDigit, LOWER_E, MINUS, skipNumber, ZERO } from './json-syntax.ts'

const TWO_POW_32 = 0x1_0000_0000
/** The upper word of 2^53: below it, a double holds every whole number. */
const WORD_OF_TWO_POW_53 = 0x20_0000
/** Most digits of an int64. */
const INT64_DIGITS = 19
const latin1 = new TextDecoder('latin1')

/** What came of reading a whole number. */
export type IntegerOutcome = 'number' | 'words' | 'notWhole' | 'tooBig'

/**
 * Reads JSON numbers. Results are left in the fields, because a function can't answer a position and a value
 * without making an object.
 */
export class NumberReader {
  /** The number read, at index 0: a typed array holds a double without boxing it. */
  readonly value = new Float64Array(1)
  /** After `readInteger`: whether `value` holds it exactly, or only `high` and `low` do. */
  outcome: IntegerOutcome = 'number'
  /** Upper and lower 32 bits of an integer of more than 15 digits. */
  high = 0
  low = 0
  /** Digits of a number in the making, without leading zeros. */
  private readonly digits = new Uint8Array(INT64_DIGITS)

  /** Reads a double as JSON.parse does (correctly rounded); answers the position behind it or INVALID_JSON. */
  readDouble(bytes: Uint8Array, start: number, end: number): number {
    const negative = bytes[start] === MINUS
    let at = negative ? start + 1 : start
    const whole = at
    let mantissa = 0
    while (at < end && isDigit(bytes[at] as number)) mantissa = mantissa * 10 + ((bytes[at++] as number) - ZERO)
    let digits = at - whole
    if (digits === 0 || (digits > 1 && bytes[whole] === ZERO)) return INVALID_JSON
    let exponent = 0
    if (at < end && bytes[at] === DOT) {
      const fraction = ++at
      while (at < end && isDigit(bytes[at] as number)) mantissa = mantissa * 10 + ((bytes[at++] as number) - ZERO)
      if (at === fraction) return INVALID_JSON
      exponent = fraction - at
      digits -= exponent
    }
    if ((at < end && ((bytes[at] as number) | 0x20) === LOWER_E) || digits > EXACT_DIGITS) {
      return this.readLongDouble(bytes, start, end)
    }
    // Clinger's fast path: both operands are exact, so that one rounding gives the nearest double.
    if (exponent !== 0) mantissa /= POWERS_OF_TEN[-exponent] as number
    this.value[0] = negative ? -mantissa : mantissa
    return at
  }

  /**
   * Reads a whole number of up to 64 bits, exactly; 1.0 and 1e3 are whole numbers. Sets `outcome`.
   * Answers the position behind the number or INVALID_JSON.
   */
  readInteger(bytes: Uint8Array, start: number, end: number): number {
    const negative = bytes[start] === MINUS
    const whole = negative ? start + 1 : start
    let at = whole
    let value = 0
    while (at < end && isDigit(bytes[at] as number)) value = value * 10 + ((bytes[at++] as number) - ZERO)
    const digits = at - whole
    if (digits === 0 || (digits > 1 && bytes[whole] === ZERO)) return INVALID_JSON
    const next = at < end ? (bytes[at] as number) : 0
    if (digits > EXACT_DIGITS || next === DOT || (next | 0x20) === LOWER_E) {
      return this.readWideInteger(bytes, start, end)
    }
    this.outcome = 'number'
    this.value[0] = negative ? -value : value
    return at
  }

  /** With an exponent, or more digits than a double surely holds. */
  private readLongDouble(bytes: Uint8Array, start: number, end: number): number {
    const after = skipNumber(bytes, start, end)
    if (after >= 0 && !roundDecimal(bytes, start, after, this.value)) {
      this.value[0] = Number(latin1.decode(bytes.subarray(start, after)))
    }
    return after
  }

  /** More than 15 digits, a fraction or an exponent: finds the digits that count, then how far they are shifted. */
  private readWideInteger(bytes: Uint8Array, start: number, end: number): number {
    const after = skipNumber(bytes, start, end)
    if (after < 0) return after
    let at = bytes[start] === MINUS ? start + 1 : start
    let count = 0
    let countToLastNonZero = 0
    let fraction = -1
    for (; at < after && ((bytes[at] as number) | 0x20) !== LOWER_E; at++) {
      const byte = bytes[at] as number
      if (byte === DOT) fraction = at + 1
      else if (count > 0 || byte !== ZERO) {
        if (count < INT64_DIGITS) this.digits[count] = byte - ZERO
        count++
        if (byte !== ZERO) countToLastNonZero = count
      }
    }
    const shift = (at < after ? exponentOf(bytes, at + 1, after) : 0) - (fraction < 0 ? 0 : at - fraction)
    this.setFromDigits(countToLastNonZero, shift + count - countToLastNonZero, bytes[start] === MINUS)
    return after
  }

  /** `count` digits, the last one not zero, followed by `zeros` zeros (a fraction where that is negative). */
  private setFromDigits(count: number, zeros: number, negative: boolean): void {
    if (count === 0) {
      this.outcome = 'number'
      this.value[0] = 0
    } else if (zeros < 0) {
      this.outcome = 'notWhole'
    } else if (count + zeros > INT64_DIGITS) {
      this.outcome = 'tooBig'
    } else {
      this.digits.fill(0, count, count + zeros)
      this.setWords(count + zeros, negative)
    }
  }

  /** The first digits times 10^9 plus the last nine, in two words: every product stays below 2^53. */
  private setWords(count: number, negative: boolean): void {
    const split = Math.max(0, count - 9)
    const upper = this.numberOf(0, split)
    const lowProduct = (upper % 0x1_0000) * 1e9 + this.numberOf(split, count)
    const highProduct = Math.floor(upper / 0x1_0000) * 1e9 + Math.floor(lowProduct / 0x1_0000)
    const low = (highProduct % 0x1_0000) * 0x1_0000 + (lowProduct % 0x1_0000)
    const high = Math.floor(highProduct / 0x1_0000)
    const fits = high < 0x8000_0000 || (negative && high === 0x8000_0000 && low === 0)
    this.outcome = fits ? 'words' : 'tooBig'
    this.low = negative ? -low | 0 : low | 0
    this.high = negative ? ~high + (low === 0 ? 1 : 0) : high
    if (high < WORD_OF_TWO_POW_53) {
      this.outcome = 'number'
      this.value[0] = (negative ? -1 : 1) * (high * TWO_POW_32 + low)
    }
  }

  private numberOf(from: number, to: number): number {
    let value = 0
    for (let i = from; i < to; i++) value = value * 10 + (this.digits[i] as number)
    return value
  }
}
