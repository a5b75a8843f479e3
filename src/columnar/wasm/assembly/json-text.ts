import { BACKSLASH, byteAt, hexUnit, LOWER_U, unescaped } from './json-syntax'

/** Whether the last text unescaped had a lone surrogate, which was replaced by U+FFFD: it equals no well-formed text. */
export let replaced: bool = false

/**
 * Unescapes the inside of a string, [start, end), which was checked before, to `to`. Answers the address behind what was
 * written: an escape is never shorter than the UTF-8 it stands for.
 */
export function unescape(start: i32, end: i32, to: i32): i32 {
  replaced = false
  let at = start
  while (at < end) {
    const byte = byteAt(at)
    if (byte != BACKSLASH) {
      store<u8>(to++, byte)
      at++
    } else if (byteAt(at + 1) == LOWER_U) {
      const code = unitAt(at, end)
      at += code >= 0x10000 ? 12 : 6
      to = putCodePoint(to, code)
    } else {
      store<u8>(to++, unescaped(byteAt(at + 1)))
      at += 2
    }
  }
  return to
}

/** The code point whose escape begins at `at`; a surrogate pair is two escapes. */
function unitAt(at: i32, end: i32): i32 {
  const unit = hexUnit(at + 2)
  if (unit < 0xd800 || unit > 0xdfff) return unit
  const escapeFollows = at + 12 <= end && byteAt(at + 6) == BACKSLASH && byteAt(at + 7) == LOWER_U
  const low = unit < 0xdc00 && escapeFollows ? hexUnit(at + 8) : -1
  if (low >= 0xdc00 && low <= 0xdfff) return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00)
  replaced = true
  return 0xfffd
}

function putCodePoint(to: i32, code: i32): i32 {
  if (code < 0x80) {
    store<u8>(to, code)
    return to + 1
  }
  if (code < 0x800) {
    store<u8>(to++, 0xc0 | (code >> 6))
  } else {
    if (code < 0x10000) {
      store<u8>(to++, 0xe0 | (code >> 12))
    } else {
      store<u8>(to++, 0xf0 | (code >> 18))
      store<u8>(to++, 0x80 | ((code >> 12) & 0x3f))
    }
    store<u8>(to++, 0x80 | ((code >> 6) & 0x3f))
  }
  store<u8>(to, 0x80 | (code & 0x3f))
  return to + 1
}

const PADDING: i32 = 0x3d

/** Value of a base64 letter, or 255. */
function sextet(letter: i32): i32 {
  if (<u32>(letter - 0x41) < 26) return letter - 0x41
  if (<u32>(letter - 0x61) < 26) return letter - 0x61 + 26
  if (<u32>(letter - 0x30) < 10) return letter - 0x30 + 52
  return letter == 0x2b ? 62 : letter == 0x2f ? 63 : 255
}

/**
 * Decodes base64 (RFC 4648, section 4; the padding may be left out) in [start, end) to `to`. Answers how many bytes came
 * out, or -1 where it is not base64.
 */
export function decodeBase64(start: i32, end: i32, to: i32): i32 {
  if ((end - start) % 4 == 0) {
    if (end > start && byteAt(end - 1) == PADDING) end--
    if (end > start && byteAt(end - 1) == PADDING && (end - start) % 4 == 3) end--
  }
  if ((end - start) % 4 == 1) return -1
  let written = 0
  let bits = 0
  let held = 0
  for (let at = start; at < end; at++) {
    const value = sextet(byteAt(at))
    if (value == 255) return -1
    bits = ((bits << 6) | value) & 0xffff
    held += 6
    if (held >= 8) {
      held -= 8
      store<u8>(to + written++, bits >> held)
    }
  }
  return written
}
