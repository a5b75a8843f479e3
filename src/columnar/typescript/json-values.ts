import type { ListBuilder } from '../column-builder.ts'
import type { Int32Builder, Int64Builder } from '../fixed-width-builders.ts'
import { decodeBase64 } from './base64.ts'
import { UnescapedText } from './json-escapes.ts'
import type { Leaf, ScalarTarget } from './json-leaf.ts'
import { NumberReader } from './json-numbers.ts'
import {
  CLOSE_BRACKET,
  COMMA,
  INVALID_JSON,
  LOWER_F,
  LOWER_N,
  LOWER_T,
  MAX_DEPTH,
  NINE,
  OPEN_BRACKET,
  QUOTE,
  scanString,
  skipLiteral,
  skipNumber,
  skipString,
  skipValue,
  skipWhitespace,
} from './json-syntax.ts'
import { parseDate, parseTimestamp } from './json-temporal.ts'

/** No value has come yet. */
export const UNSEEN = 0
/** The builder has taken the value. */
export const VALUE = 1
/** The value is null, or surely missing. */
export const NULL = 2
/** The value is of a kind that the column can't hold. */
export const WRONG_TYPE = 3
/** The value is a whole number of too many bits. */
export const OUT_OF_RANGE = 4
/** What became of a column in the row at hand. */
export type LeafState = typeof UNSEEN | typeof VALUE | typeof NULL | typeof WRONG_TYPE | typeof OUT_OF_RANGE

/**
 * Reads JSON values into builders. Every method takes the position of a value's first byte and answers the
 * position behind the value or a negative code; `state` says what became of the value.
 */
export class ValueReader {
  state: LeafState = UNSEEN
  private readonly numbers = new NumberReader()
  private readonly text = new UnescapedText()

  /** Reads the value of a column; unless `state` is VALUE afterwards, the builder is as it was. */
  readLeaf(leaf: Leaf, bytes: Uint8Array, at: number, end: number, depth: number): number {
    const { list, target } = leaf
    if (list === null) return this.readScalar(target, bytes, at, end, depth)
    if (bytes[at] === OPEN_BRACKET) return this.readList(list, target, bytes, at + 1, end, depth + 1)
    this.state = bytes[at] === LOWER_N ? NULL : WRONG_TYPE
    return skipValue(bytes, at, end, depth)
  }

  private readScalar(target: ScalarTarget, bytes: Uint8Array, at: number, end: number, depth: number): number {
    const first = bytes[at] as number
    this.state = VALUE
    if (first === QUOTE) return this.readQuoted(target, bytes, at, end)
    if (first === LOWER_N) {
      this.state = NULL
      return skipLiteral(bytes, at, end)
    }
    if (target.kind === 'json') {
      const after = skipValue(bytes, at, end, depth)
      if (after >= 0) target.builder.appendBytes(bytes, at, after)
      return after
    }
    if (first <= NINE) return this.readNumber(target, bytes, at, end)
    if (target.kind === 'bool' && (first === LOWER_T || first === LOWER_F)) {
      target.builder.appendBool(first === LOWER_T)
      return skipLiteral(bytes, at, end)
    }
    this.state = WRONG_TYPE
    return skipValue(bytes, at, end, depth)
  }

  private readNumber(target: ScalarTarget, bytes: Uint8Array, at: number, end: number): number {
    switch (target.kind) {
      case 'float64':
      case 'float32': {
        const after = this.numbers.readDouble(bytes, at, end)
        if (after >= 0) target.builder.appendFirst(this.numbers.value)
        return after
      }
      case 'int32': {
        const after = this.numbers.readInteger(bytes, at, end)
        if (after >= 0) this.putInt32(target.builder)
        return after
      }
      case 'int64': {
        const after = this.numbers.readInteger(bytes, at, end)
        if (after >= 0) this.putInt64(target.builder)
        return after
      }
      default:
        this.state = WRONG_TYPE
        return skipNumber(bytes, at, end)
    }
  }

  private putInt32(builder: Int32Builder): void {
    const { outcome } = this.numbers
    const value = this.numbers.value[0] as number
    if (outcome === 'number' && (value | 0) === value) builder.appendNumber(value)
    else this.state = outcome === 'notWhole' ? WRONG_TYPE : OUT_OF_RANGE
  }

  private putInt64(builder: Int64Builder): void {
    const { outcome, high, low } = this.numbers
    if (outcome === 'number') builder.appendFirst(this.numbers.value)
    else if (outcome === 'words') builder.appendInt64Parts(high, low)
    else this.state = outcome === 'notWhole' ? WRONG_TYPE : OUT_OF_RANGE
  }

  private readQuoted(target: ScalarTarget, bytes: Uint8Array, at: number, end: number): number {
    if (target.kind === 'json') {
      const after = skipString(bytes, at + 1, end)
      if (after >= 0) target.builder.appendBytes(bytes, at, after)
      return after
    }
    const close = scanString(bytes, at + 1, end)
    if (close < 0) return close
    if (bytes[close] === QUOTE) {
      this.putText(target, bytes, at + 1, close)
      return close + 1
    }
    const after = skipString(bytes, close, end)
    if (after < 0) return after
    this.text.fill(bytes, at + 1, after - 1)
    this.putText(target, this.text.bytes, 0, this.text.length)
    return after
  }

  /** Takes the text of a string, bytes[start, end), without escapes. */
  private putText(target: ScalarTarget, bytes: Uint8Array, start: number, end: number): void {
    switch (target.kind) {
      case 'string':
        target.builder.appendBytes(bytes, start, end)
        return
      case 'iso8601': {
        if (parseTimestamp(bytes, start, end, this.numbers.value)) target.builder.appendFirst(this.numbers.value)
        else this.state = WRONG_TYPE
        return
      }
      case 'date': {
        const day = parseDate(bytes, start, end)
        if (Number.isNaN(day)) this.state = WRONG_TYPE
        else target.builder.appendNumber(day)
        return
      }
      case 'bytes': {
        const decoded = this.text.reserve(end - start)
        const length = decodeBase64(bytes, start, end, decoded)
        if (length < 0) this.state = WRONG_TYPE
        else target.builder.appendBytes(decoded, 0, length)
        return
      }
      default:
        this.state = WRONG_TYPE
    }
  }

  /** From behind the opening bracket. A bad element makes the list bad; the rest is still checked as JSON. */
  private readList(
    list: ListBuilder,
    target: ScalarTarget,
    bytes: Uint8Array,
    at: number,
    end: number,
    depth: number,
  ): number {
    const after = depth > MAX_DEPTH ? INVALID_JSON : this.readElements(list, target, bytes, at, end, depth)
    if (after >= 0 && this.state === VALUE) list.endList()
    else list.abandonList()
    return after
  }

  private readElements(
    list: ListBuilder,
    target: ScalarTarget,
    bytes: Uint8Array,
    at: number,
    end: number,
    depth: number,
  ): number {
    let state: LeafState = VALUE
    at = skipWhitespace(bytes, at, end)
    if (at < end && bytes[at] === CLOSE_BRACKET) {
      this.state = state
      return at + 1
    }
    while (at < end) {
      at = this.readScalar(target, bytes, at, end, depth)
      if (at < 0) return at
      if (this.state === NULL) list.child.appendNull()
      else if (this.state !== VALUE && state === VALUE) state = this.state
      at = skipWhitespace(bytes, at, end)
      if (at >= end) return INVALID_JSON
      if (bytes[at] === CLOSE_BRACKET) {
        this.state = state
        return at + 1
      }
      if (bytes[at] !== COMMA) return INVALID_JSON
      at = skipWhitespace(bytes, at + 1, end)
    }
    return INVALID_JSON
  }
}
