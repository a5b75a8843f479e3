/**
 * The grammar of JSON (RFC 8259) over bytes in memory. Every function takes the address of a byte and that of the end
 * of the text, and answers the address after what it read, or one of the negative codes. Loads of 16 bytes may reach
 * beyond the end; memory ends later than any text.
 */

export const INVALID_JSON: i32 = -1
export const INVALID_UTF8: i32 = -2

/** Containers may be nested this deep; the outermost one has depth 1. */
export const MAX_DEPTH: i32 = 512

export const QUOTE: i32 = 0x22
export const BACKSLASH: i32 = 0x5c
export const COMMA: i32 = 0x2c
export const COLON: i32 = 0x3a
export const MINUS: i32 = 0x2d
export const PLUS: i32 = 0x2b
export const DOT: i32 = 0x2e
export const ZERO: i32 = 0x30
export const NINE: i32 = 0x39
export const OPEN_BRACE: i32 = 0x7b
export const CLOSE_BRACE: i32 = 0x7d
export const OPEN_BRACKET: i32 = 0x5b
export const CLOSE_BRACKET: i32 = 0x5d
export const LOWER_E: i32 = 0x65
export const LOWER_F: i32 = 0x66
export const LOWER_N: i32 = 0x6e
export const LOWER_T: i32 = 0x74
export const LOWER_U: i32 = 0x75
export const SPACE: i32 = 0x20

/** The byte at an address. */
export function byteAt(at: i32): i32 {
  return load<u8>(at)
}

/** Whether a byte is one of `0` to `9`. */
export function isDigit(byte: i32): bool {
  return <u32>(byte - ZERO) < 10
}

/** White space is space, tab, line feed and carriage return. */
export function skipWhitespace(at: i32, end: i32): i32 {
  while (at < end) {
    const byte = byteAt(at)
    if (byte > SPACE || (byte != SPACE && byte != 0x0a && byte != 0x0d && byte != 0x09)) return at
    at++
  }
  return at
}

/** From behind a name to its value: white space, a colon, white space. */
export function skipColon(at: i32, end: i32): i32 {
  if (at < end && byteAt(at) != COLON) at = skipWhitespace(at, end)
  if (at >= end || byteAt(at) != COLON) return INVALID_JSON
  at++
  if (at < end && byteAt(at) > SPACE) return at
  at = skipWhitespace(at, end)
  return at < end ? at : INVALID_JSON
}

/** A bit for each of the 16 bytes at `at` that a string does not hold as it is. */
function specialBytes(at: i32): i32 {
  const bytes = v128.load(at)
  // signed: what is below a space is a control character or beyond ASCII
  return i8x16.bitmask(
    v128.or(
      i8x16.lt_s(bytes, i8x16.splat(<i8>SPACE)),
      v128.or(i8x16.eq(bytes, i8x16.splat(<i8>QUOTE)), i8x16.eq(bytes, i8x16.splat(<i8>BACKSLASH))),
    ),
  )
}

/** Runs over the inside of a string; answers where its closing quote or its first backslash is. */
export function scanString(at: i32, end: i32): i32 {
  while (at < end) {
    const special = specialBytes(at)
    if (special == 0) {
      at += 16
      continue
    }
    at += ctz(special)
    if (at >= end) return INVALID_JSON
    const byte = byteAt(at)
    if (byte == QUOTE || byte == BACKSLASH) return at
    if (byte < SPACE) return INVALID_JSON
    do {
      at = skipUtf8(at, end)
      if (at < 0) return at
    } while (at < end && byteAt(at) >= 0x80)
  }
  return INVALID_JSON
}

/** From behind an opening quote to behind the closing one. */
export function skipString(at: i32, end: i32): i32 {
  // most are short and plain
  const special = specialBytes(at)
  const close = at + ctz(special)
  if (special != 0 && close < end && byteAt(close) == QUOTE) return close + 1
  while (true) {
    at = scanString(at, end)
    if (at < 0) return at
    if (byteAt(at) == QUOTE) return at + 1
    at = skipEscape(at, end)
    if (at < 0) return at
  }
}

/** What a one-letter escape stands for, or 0. */
export function unescaped(letter: i32): i32 {
  switch (letter) {
    case QUOTE:
    case BACKSLASH:
    case 0x2f:
      return letter
    case 0x62:
      return 0x08
    case 0x66:
      return 0x0c
    case 0x6e:
      return 0x0a
    case 0x72:
      return 0x0d
    case 0x74:
      return 0x09
    default:
      return 0
  }
}

/** From a backslash to behind the escape. */
function skipEscape(at: i32, end: i32): i32 {
  if (at + 1 >= end) return INVALID_JSON
  const letter = byteAt(at + 1)
  if (unescaped(letter) != 0) return at + 2
  return letter == LOWER_U && at + 6 <= end && hexUnit(at + 2) >= 0 ? at + 6 : INVALID_JSON
}

function hexDigit(byte: i32): i32 {
  if (isDigit(byte)) return byte - ZERO
  const letter = (byte | 0x20) - 0x61
  return <u32>letter < 6 ? letter + 10 : -1
}

/** The UTF-16 unit that four hexadecimal digits name, or a negative number. */
export function hexUnit(at: i32): i32 {
  const a = hexDigit(byteAt(at))
  const b = hexDigit(byteAt(at + 1))
  const c = hexDigit(byteAt(at + 2))
  const d = hexDigit(byteAt(at + 3))
  return (a | b | c | d) < 0 ? -1 : (a << 12) | (b << 8) | (c << 4) | d
}

/** From the first byte of a sequence beyond ASCII to behind it (well-formed as in RFC 3629, section 4). */
export function skipUtf8(at: i32, end: i32): i32 {
  const lead = byteAt(at)
  if (lead < 0xc2 || lead > 0xf4) return INVALID_UTF8
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
  if (at + length > end) return INVALID_UTF8
  const second = byteAt(at + 1)
  const least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80
  const most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf
  if (second < least || second > most) return INVALID_UTF8
  for (let i = at + 2; i < at + length; i++) if ((byteAt(i) & 0xc0) != 0x80) return INVALID_UTF8
  return at + length
}

/** From the first byte of a number to behind it. */
export function skipNumber(at: i32, end: i32): i32 {
  if (byteAt(at) == MINUS) at++
  if (at >= end) return INVALID_JSON
  const first = byteAt(at)
  if (!isDigit(first)) return INVALID_JSON
  at = first == ZERO ? at + 1 : skipDigits(at + 1, end)
  if (at < end && byteAt(at) == DOT) {
    const fraction = at + 1
    at = skipDigits(fraction, end)
    if (at == fraction) return INVALID_JSON
  }
  return at < end && (byteAt(at) | 0x20) == LOWER_E ? skipExponent(at, end) : at
}

function skipExponent(at: i32, end: i32): i32 {
  at++
  if (at < end && (byteAt(at) == PLUS || byteAt(at) == MINUS)) at++
  const after = skipDigits(at, end)
  return after == at ? INVALID_JSON : after
}

/** How many digits stand at `at`, of which 16 are looked at. */
export function digitRun(at: i32, end: i32): i32 {
  const values = i8x16.sub(v128.load(at), i8x16.splat(<i8>ZERO))
  const digits = i8x16.bitmask(i8x16.lt_u(values, i8x16.splat(10)))
  return min(ctz(~digits | 0x10000), end - at)
}

/** To behind the digits that begin at `at`. */
export function skipDigits(at: i32, end: i32): i32 {
  let run: i32
  do {
    run = digitRun(at, end)
    at += run
  } while (run == 16)
  return at
}

const TRUE_WORD: u32 = 0x65757274
const ALSE_WORD: u32 = 0x65736c61
const NULL_WORD: u32 = 0x6c6c756e

/** From the first byte of `true`, `false` or `null` to behind it. */
export function skipLiteral(at: i32, end: i32): i32 {
  if (byteAt(at) == LOWER_F) return at + 5 <= end && load<u32>(at + 1) == ALSE_WORD ? at + 5 : INVALID_JSON
  const word = load<u32>(at)
  return at + 4 <= end && (word == TRUE_WORD || word == NULL_WORD) ? at + 4 : INVALID_JSON
}

/**
 * From the first byte of any value to behind it, all of it checked. There is a byte at `at`.
 * `depth` is that of the container the value lies in.
 */
export function skipValue(at: i32, end: i32, depth: i32): i32 {
  const first = byteAt(at)
  if (first == QUOTE) return skipString(at + 1, end)
  if (first <= NINE) return skipNumber(at, end)
  if (first == OPEN_BRACE) return skipObject(at + 1, end, depth + 1)
  if (first == OPEN_BRACKET) return skipArray(at + 1, end, depth + 1)
  return skipLiteral(at, end)
}

/** What mostly stands between a name and its value, and between members: two bytes as one number. */
export const COLON_AND_QUOTE: u16 = 0x223a
export const COMMA_AND_QUOTE: u16 = 0x222c

/** A bit for each quote in the 64 bytes at `at`; 0 where one of them may not stand in a string as it is, or is not ASCII. */
function plainQuotes(at: i32): u64 {
  const one = v128.load(at)
  const two = v128.load(at, 16)
  const three = v128.load(at, 32)
  const four = v128.load(at, 48)
  const least = i8x16.min_s(i8x16.min_s(one, two), i8x16.min_s(three, four))
  const backslash = i8x16.splat(<i8>BACKSLASH)
  const escapes = v128.or(
    v128.or(i8x16.eq(one, backslash), i8x16.eq(two, backslash)),
    v128.or(i8x16.eq(three, backslash), i8x16.eq(four, backslash)),
  )
  if (v128.any_true(v128.or(escapes, i8x16.lt_s(least, i8x16.splat(<i8>SPACE))))) return 0
  const quote = i8x16.splat(<i8>QUOTE)
  const low = i8x16.bitmask(i8x16.eq(one, quote)) | (i8x16.bitmask(i8x16.eq(two, quote)) << 16)
  const high = i8x16.bitmask(i8x16.eq(three, quote)) | (i8x16.bitmask(i8x16.eq(four, quote)) << 16)
  return <u64>(<u32>low) | ((<u64>(<u32>high)) << 32)
}

/**
 * From the opening quote of a name over members whose names and values are plain strings with nothing between them, as
 * maps of texts are written. Answers where the name of the first one begins that may be another, or the last.
 */
function skipPlainMembers(at: i32, end: i32): i32 {
  let member = at
  let inside = at + 1
  let inValue = false
  for (let block = at; block + 64 <= end; block += 64) {
    let quotes = plainQuotes(block)
    if (quotes == 0) break
    // up to two of them belong to what was seen at the end of the last block
    if (inside > block) quotes &= (<u64>-1) << (<u64>(inside - block))
    while (quotes != 0) {
      const close = block + <i32>ctz(quotes)
      if (load<u16>(close, 1) != (inValue ? COMMA_AND_QUOTE : COLON_AND_QUOTE)) return member
      inside = close + 3
      if (inValue) member = close + 2
      inValue = !inValue
      // the closing quote, and the next opening one
      quotes &= quotes - 1
      quotes &= quotes - 1
    }
  }
  return member
}

function skipObject(at: i32, end: i32, depth: i32): i32 {
  if (depth > MAX_DEPTH) return INVALID_JSON
  at = skipWhitespace(at, end)
  if (at < end && byteAt(at) == CLOSE_BRACE) return at + 1
  let plain = true
  while (at < end && byteAt(at) == QUOTE) {
    if (plain) {
      const further = skipPlainMembers(at, end)
      plain = further != at
      at = further
    }
    at = skipString(at + 1, end)
    if (at < 0) return at
    if (at + 1 < end && load<u16>(at) == COLON_AND_QUOTE) {
      at = skipString(at + 2, end)
    } else {
      at = skipColon(at, end)
      if (at < 0) return at
      at = skipValue(at, end, depth)
    }
    if (at < 0) return at
    if (at + 1 < end && load<u16>(at) == COMMA_AND_QUOTE) {
      at++
      continue
    }
    at = afterMember(at, end, CLOSE_BRACE)
    if (at <= 0) return at == 0 ? INVALID_JSON : -at
    if (byteAt(at) != QUOTE) at = skipWhitespace(at, end)
  }
  return INVALID_JSON
}

function skipArray(at: i32, end: i32, depth: i32): i32 {
  if (depth > MAX_DEPTH) return INVALID_JSON
  at = skipWhitespace(at, end)
  if (at < end && byteAt(at) == CLOSE_BRACKET) return at + 1
  while (at < end) {
    at = skipValue(at, end, depth)
    if (at < 0) return at
    at = afterMember(at, end, CLOSE_BRACKET)
    if (at <= 0) return at == 0 ? INVALID_JSON : -at
    if (byteAt(at) <= SPACE) at = skipWhitespace(at, end)
  }
  return INVALID_JSON
}

/**
 * Behind a member or element: answers where the next one begins (behind a comma), the address behind the closing
 * bracket negated, or 0 where neither stands there.
 */
export function afterMember(at: i32, end: i32, close: i32): i32 {
  if (at < end && byteAt(at) != COMMA) at = skipWhitespace(at, end)
  if (at >= end) return 0
  const byte = byteAt(at)
  if (byte == close) return -(at + 1)
  return byte == COMMA ? at + 1 : 0
}
