import { copyBlocks } from './bytes'
import {
  BOOL,
  BYTES,
  bytesAt,
  DATE,
  endBytes,
  FLOAT32,
  FLOAT64,
  INT32,
  INT64,
  ISO8601,
  isList,
  JSON_TEXT,
  Leaf,
  NULL,
  OUT_OF_RANGE,
  putBit,
  putPlaceholder,
  STRING,
  VALUE,
  WRONG_TYPE,
} from './json-leaf'
import { double, integer, NOT_WHOLE, outcome, readDouble, readInteger, WHOLE } from './json-numbers'
import {
  afterMember,
  byteAt,
  CLOSE_BRACKET,
  INVALID_JSON,
  LOWER_F,
  LOWER_N,
  LOWER_T,
  MAX_DEPTH,
  NINE,
  OPEN_BRACKET,
  QUOTE,
  SPACE,
  scanString,
  skipLiteral,
  skipNumber,
  skipString,
  skipValue,
  skipWhitespace,
} from './json-syntax'
import { days, milliseconds, parseDate, parseTimestamp } from './json-temporal'
import { decodeBase64, unescape } from './json-text'

/** What became of the value read last. */
export let state: i32 = 0

/** Room for the longest value. */
let scratch: i32 = 0

/** Says where there is room for the longest value. */
export function useScratch(at: i32): void {
  scratch = at
}

/** Reads the value of a column for row `row`; `state` says what became of it. */
export function readLeaf(leaf: Leaf, row: i32, at: i32, end: i32, depth: i32): i32 {
  if (!isList(leaf)) return readScalar(leaf, row, at, end, depth)
  if (byteAt(at) == OPEN_BRACKET) return readList(leaf, row, at + 1, end, depth + 1)
  state = byteAt(at) == LOWER_N ? NULL : WRONG_TYPE
  return skipValue(at, end, depth)
}

/** Reads a value into position `to` of its column (of the elements of a list). */
function readScalar(leaf: Leaf, to: i32, at: i32, end: i32, depth: i32): i32 {
  const first = byteAt(at)
  state = VALUE
  if (first == QUOTE) return readQuoted(leaf, to, at, end)
  if (first == LOWER_N) {
    state = NULL
    return skipLiteral(at, end)
  }
  const kind = leaf.kind
  if (kind == JSON_TEXT) {
    const after = skipValue(at, end, depth)
    if (after >= 0) copyText(leaf, to, at, after)
    return after
  }
  if (first <= NINE) return readNumber(leaf, to, at, end)
  if (kind == BOOL && (first == LOWER_T || first == LOWER_F)) {
    putBit(leaf.values, to, first == LOWER_T)
    return skipLiteral(at, end)
  }
  state = WRONG_TYPE
  return skipValue(at, end, depth)
}

function readNumber(leaf: Leaf, to: i32, at: i32, end: i32): i32 {
  let after: i32
  switch (leaf.kind) {
    case FLOAT64:
      after = readDouble(at, end)
      store<f64>(leaf.values + (to << 3), double)
      return after
    case FLOAT32:
      after = readDouble(at, end)
      store<f32>(leaf.values + (to << 2), <f32>double)
      return after
    case INT32:
      after = readInteger(at, end)
      if (outcome == WHOLE && integer == <i64>(<i32>integer)) store<i32>(leaf.values + (to << 2), <i32>integer)
      else state = outcome == NOT_WHOLE ? WRONG_TYPE : OUT_OF_RANGE
      return after
    case INT64:
      after = readInteger(at, end)
      if (outcome == WHOLE) store<i64>(leaf.values + (to << 3), integer)
      else state = outcome == NOT_WHOLE ? WRONG_TYPE : OUT_OF_RANGE
      return after
    default:
      state = WRONG_TYPE
      return skipNumber(at, end)
  }
}

function readQuoted(leaf: Leaf, to: i32, at: i32, end: i32): i32 {
  if (leaf.kind == JSON_TEXT) {
    const after = skipString(at + 1, end)
    if (after >= 0) copyText(leaf, to, at, after)
    return after
  }
  const close = scanString(at + 1, end)
  if (close < 0) return close
  if (byteAt(close) == QUOTE) {
    if (leaf.kind == STRING) copyText(leaf, to, at + 1, close)
    else putText(leaf, to, at + 1, close)
    return close + 1
  }
  const after = skipString(close, end)
  if (after < 0) return after
  if (leaf.kind == STRING) endBytes(leaf, to, unescape(at + 1, after - 1, bytesAt(leaf, to)))
  else putText(leaf, to, scratch, unescape(at + 1, after - 1, scratch))
  return after
}

function copyText(leaf: Leaf, to: i32, start: i32, end: i32): void {
  const target = bytesAt(leaf, to)
  copyBlocks(target, start, end - start)
  endBytes(leaf, to, target + (end - start))
}

/** Takes the text of a string, [start, end), without escapes, for a column that is not of strings. */
function putText(leaf: Leaf, to: i32, start: i32, end: i32): void {
  switch (leaf.kind) {
    case ISO8601:
      if (parseTimestamp(start, end)) store<i64>(leaf.values + (to << 3), milliseconds)
      else state = WRONG_TYPE
      return
    case DATE:
      if (parseDate(start, end)) store<i32>(leaf.values + (to << 2), days)
      else state = WRONG_TYPE
      return
    case BYTES: {
      const target = bytesAt(leaf, to)
      const length = decodeBase64(start, end, target)
      if (length < 0) state = WRONG_TYPE
      else endBytes(leaf, to, target + length)
      return
    }
    default:
      state = WRONG_TYPE
  }
}

/** From behind the opening bracket. A bad element makes the list bad; the rest is still checked as JSON. */
function readList(leaf: Leaf, row: i32, at: i32, end: i32, depth: i32): i32 {
  if (depth > MAX_DEPTH) return INVALID_JSON
  let element = load<i32>(leaf.listOffsets + (row << 2))
  let whole: i32 = VALUE
  at = skipWhitespace(at, end)
  if (at < end && byteAt(at) == CLOSE_BRACKET) {
    at = -(at + 1)
  } else {
    while (true) {
      if (at >= end) return INVALID_JSON
      at = readScalar(leaf, element, at, end, depth)
      if (at < 0) return at
      if (state == NULL) putPlaceholder(leaf, element)
      else if (state != VALUE && whole == VALUE) whole = state
      // a bad element has left no end behind, and the list is given up
      if (whole == VALUE) putBit(leaf.validity, element++, state == VALUE)
      at = afterMember(at, end, CLOSE_BRACKET)
      if (at == 0) return INVALID_JSON
      if (at < 0) break
      if (byteAt(at) <= SPACE) at = skipWhitespace(at, end)
    }
  }
  state = whole
  if (whole == VALUE) store<i32>(leaf.listOffsets + (row << 2), element, 4)
  return -at
}
