/**
 * The grammar of JSON (RFC 8259) over bytes. Every function takes a position and the end of the text and answers
 * the position after what it read, or one of the negative codes. Nothing here makes an object.
 */

/** Answered in place of a position: the text is not JSON. */
export const INVALID_JSON = -1
/** Answered in place of a position: a string holds bytes that are not UTF-8. */
export const INVALID_UTF8 = -2

/** Containers may be nested this deep; the outermost one has depth 1. */
export const MAX_DEPTH = 512

/** The byte `"`. */
export const QUOTE = 0x22
/** The byte `\`. */
export const BACKSLASH = 0x5c
/** The byte `,`. */
export const COMMA = 0x2c
/** The byte `:`. */
export const COLON = 0x3a
/** The byte `-`. */
export const MINUS = 0x2d
/** The byte `+`. */
export const PLUS = 0x2b
/** The byte `.`. */
export const DOT = 0x2e
/** The byte `0`. */
export const ZERO = 0x30
/** The byte `9`. */
export const NINE = 0x39
/** The byte `{`. */
export const OPEN_BRACE = 0x7b
/** The byte `}`. */
export const CLOSE_BRACE = 0x7d
/** The byte `[`. */
export const OPEN_BRACKET = 0x5b
/** The byte `]`. */
export const CLOSE_BRACKET = 0x5d
/** The byte `e`. */
export const LOWER_E = 0x65
/** The byte `f`. */
export const LOWER_F = 0x66
/** The byte `n`. */
export const LOWER_N = 0x6e
/** The byte `t`. */
export const LOWER_T = 0x74
/** The byte `u`. */
export const LOWER_U = 0x75
/** The byte of a space; what is below it is white space or a control character. */
export const SPACE = 0x20

/** Bytes that a string can hold as they are, one each: ASCII without controls, quote and backslash. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= SPACE && byte < 0x80 && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
)
/** Value of a hexadecimal digit, or 255. */
const HEX = Uint8Array.from({ length: 256 }, (_, byte) => {
  const value = Number.parseInt(String.fromCharCode(byte), 16)
  return Number.isNaN(value) ? 255 : value
})
/** What a one-letter escape stands for, or 0. */
export const ESCAPED = new Uint8Array(256)
for (const pair of ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t'])
  ESCAPED[pair.charCodeAt(0)] = pair.charCodeAt(1)

/** Whether a byte is one of `0` to `9`. */
export const isDigit = (byte: number): boolean => byte >= ZERO && byte <= NINE

/** White space is space, tab, line feed and carriage return. */
export const skipWhitespace = (bytes: Uint8Array, at: number, end: number): number => {
  while (at < end) {
    const byte = bytes[at] as number
    if (byte > SPACE || (byte !== SPACE && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) return at
    at++
  }
  return at
}

/** From behind a name to its value: white space, a colon, white space. */
export const skipColon = (bytes: Uint8Array, at: number, end: number): number => {
  if (at < end && bytes[at] !== COLON) at = skipWhitespace(bytes, at, end)
  if (at >= end || bytes[at] !== COLON) return INVALID_JSON
  at++
  if (at < end && (bytes[at] as number) > SPACE) return at
  at = skipWhitespace(bytes, at, end)
  return at < end ? at : INVALID_JSON
}

/** Runs over the inside of a string; answers where its closing quote or its first backslash is. */
export const scanString = (bytes: Uint8Array, at: number, end: number): number => {
  while (at < end) {
    const byte = bytes[at] as number
    if (PLAIN[byte] === 1) {
      at++
    } else if (byte === QUOTE || byte === BACKSLASH) {
      return at
    } else {
      if (byte < SPACE) return INVALID_JSON
      at = skipUtf8(bytes, at, end)
      if (at < 0) return at
    }
  }
  return INVALID_JSON
}

/** From behind an opening quote to behind the closing one. */
export const skipString = (bytes: Uint8Array, at: number, end: number): number => {
  for (;;) {
    at = scanString(bytes, at, end)
    if (at < 0) return at
    if (bytes[at] === QUOTE) return at + 1
    at = skipEscape(bytes, at, end)
    if (at < 0) return at
  }
}

/** From a backslash to behind the escape. */
const skipEscape = (bytes: Uint8Array, at: number, end: number): number => {
  if (at + 1 >= end) return INVALID_JSON
  const letter = bytes[at + 1] as number
  if (ESCAPED[letter] !== 0) return at + 2
  return letter === LOWER_U && at + 6 <= end && hexUnit(bytes, at + 2) >= 0 ? at + 6 : INVALID_JSON
}

/** The UTF-16 unit that four hexadecimal digits name, or a negative number. */
export const hexUnit = (bytes: Uint8Array, at: number): number => {
  const a = HEX[bytes[at] as number] as number
  const b = HEX[bytes[at + 1] as number] as number
  const c = HEX[bytes[at + 2] as number] as number
  const d = HEX[bytes[at + 3] as number] as number
  return (a | b | c | d) > 15 ? -1 : (a << 12) | (b << 8) | (c << 4) | d
}

/** From the first byte of a sequence beyond ASCII to behind it (well-formed as in RFC 3629, section 4). */
export const skipUtf8 = (bytes: Uint8Array, at: number, end: number): number => {
  const lead = bytes[at] as number
  if (lead < 0xc2 || lead > 0xf4) return INVALID_UTF8
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
  if (at + length > end) return INVALID_UTF8
  const second = bytes[at + 1] as number
  const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
  const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
  if (second < least || second > most) return INVALID_UTF8
  for (let i = at + 2; i < at + length; i++) if (((bytes[i] as number) & 0xc0) !== 0x80) return INVALID_UTF8
  return at + length
}

/** From the first byte of a number to behind it. */
export const skipNumber = (bytes: Uint8Array, at: number, end: number): number => {
  if (bytes[at] === MINUS) at++
  if (at >= end) return INVALID_JSON
  const first = bytes[at] as number
  if (!isDigit(first)) return INVALID_JSON
  at = first === ZERO ? at + 1 : skipDigits(bytes, at, end)
  if (at < end && bytes[at] === DOT) {
    const fraction = at + 1
    at = skipDigits(bytes, fraction, end)
    if (at === fraction) return INVALID_JSON
  }
  return at < end && ((bytes[at] as number) | 0x20) === LOWER_E ? skipExponent(bytes, at, end) : at
}

const skipExponent = (bytes: Uint8Array, at: number, end: number): number => {
  at++
  if (at < end && (bytes[at] === PLUS || bytes[at] === MINUS)) at++
  const after = skipDigits(bytes, at, end)
  return after === at ? INVALID_JSON : after
}

const skipDigits = (bytes: Uint8Array, at: number, end: number): number => {
  while (at < end && isDigit(bytes[at] as number)) at++
  return at
}

/** From the first byte of `true`, `false` or `null` to behind it. */
export const skipLiteral = (bytes: Uint8Array, at: number, end: number): number => {
  const word = bytes[at] === LOWER_T ? TRUE : bytes[at] === LOWER_F ? FALSE : NULL
  if (at + word.length > end) return INVALID_JSON
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return INVALID_JSON
  return at + word.length
}

const wordBytes = (word: string): Uint8Array => Uint8Array.from(word, letter => letter.charCodeAt(0))
const TRUE = wordBytes('true')
const FALSE = wordBytes('false')
const NULL = wordBytes('null')

/**
 * From the first byte of any value to behind it, all of it checked. There is a byte at `at`.
 * `depth` is that of the container the value lies in.
 */
export const skipValue = (bytes: Uint8Array, at: number, end: number, depth: number): number => {
  const first = bytes[at] as number
  if (first === QUOTE) return skipString(bytes, at + 1, end)
  if (first <= NINE) return skipNumber(bytes, at, end)
  if (first === OPEN_BRACE) return skipObject(bytes, at + 1, end, depth + 1)
  if (first === OPEN_BRACKET) return skipArray(bytes, at + 1, end, depth + 1)
  return skipLiteral(bytes, at, end)
}

const skipObject = (bytes: Uint8Array, at: number, end: number, depth: number): number => {
  if (depth > MAX_DEPTH) return INVALID_JSON
  at = skipWhitespace(bytes, at, end)
  if (at < end && bytes[at] === CLOSE_BRACE) return at + 1
  while (at < end && bytes[at] === QUOTE) {
    at = skipString(bytes, at + 1, end)
    if (at < 0) return at
    at = skipColon(bytes, at, end)
    if (at < 0) return at
    at = skipValue(bytes, at, end, depth)
    if (at < 0) return at
    if (at < end && bytes[at] !== COMMA) at = skipWhitespace(bytes, at, end)
    if (at >= end) return INVALID_JSON
    if (bytes[at] === CLOSE_BRACE) return at + 1
    if (bytes[at] !== COMMA) return INVALID_JSON
    at++
    if (at < end && bytes[at] !== QUOTE) at = skipWhitespace(bytes, at, end)
  }
  return INVALID_JSON
}

const skipArray = (bytes: Uint8Array, at: number, end: number, depth: number): number => {
  if (depth > MAX_DEPTH) return INVALID_JSON
  at = skipWhitespace(bytes, at, end)
  if (at < end && bytes[at] === CLOSE_BRACKET) return at + 1
  while (at < end) {
    at = skipValue(bytes, at, end, depth)
    if (at < 0) return at
    at = skipWhitespace(bytes, at, end)
    if (at >= end) return INVALID_JSON
    if (bytes[at] === CLOSE_BRACKET) return at + 1
    if (bytes[at] !== COMMA) return INVALID_JSON
    at = skipWhitespace(bytes, at + 1, end)
  }
  return INVALID_JSON
}
