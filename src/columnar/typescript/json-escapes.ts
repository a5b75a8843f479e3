import { BACKSLASH, ESCAPED, hexUnit, LOWER_U } from './json-syntax.ts'

/** Where unescaped strings are put; grows to the longest one, so to the longest record at most. */
export class UnescapedText {
  bytes: Uint8Array = new Uint8Array(256)
  length = 0
  /** Whether a lone surrogate was replaced by U+FFFD: such a text equals no well-formed one. */
  replaced = false

  /** Unescapes the inside of a string, [start, end) of `source`, which was checked before. */
  fill(source: Uint8Array, start: number, end: number): void {
    // An escape is never shorter than the UTF-8 it stands for.
    this.reserve(end - start)
    this.length = 0
    this.replaced = false
    let at = start
    while (at < end) {
      const byte = source[at] as number
      if (byte !== BACKSLASH) {
        this.bytes[this.length++] = byte
        at++
      } else if (source[at + 1] === LOWER_U) {
        at = this.putUnit(source, at, end)
      } else {
        this.bytes[this.length++] = ESCAPED[source[at + 1] as number] as number
        at += 2
      }
    }
  }

  /** Makes room for `count` bytes, keeping what is there. */
  reserve(count: number): Uint8Array {
    if (this.bytes.length < count) {
      const grown = new Uint8Array(2 * count)
      grown.set(this.bytes)
      this.bytes = grown
    }
    return this.bytes
  }

  /** Puts the character whose escape begins at `at`; a surrogate pair is two escapes. */
  private putUnit(source: Uint8Array, at: number, end: number): number {
    const unit = hexUnit(source, at + 2)
    if (unit < 0xd800 || unit > 0xdfff) {
      this.putCodePoint(unit)
      return at + 6
    }
    const escapeFollows = at + 12 <= end && source[at + 6] === BACKSLASH && source[at + 7] === LOWER_U
    const low = unit < 0xdc00 && escapeFollows ? hexUnit(source, at + 8) : -1
    if (low >= 0xdc00 && low <= 0xdfff) {
      this.putCodePoint(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00))
      return at + 12
    }
    this.replaced = true
    this.putCodePoint(0xfffd)
    return at + 6
  }

  private putCodePoint(code: number): void {
    const { bytes } = this
    if (code < 0x80) {
      bytes[this.length++] = code
      return
    }
    if (code < 0x800) {
      bytes[this.length++] = 0xc0 | (code >> 6)
    } else {
      if (code < 0x10000) {
        bytes[this.length++] = 0xe0 | (code >> 12)
      } else {
        bytes[this.length++] = 0xf0 | (code >> 18)
        bytes[this.length++] = 0x80 | ((code >> 12) & 0x3f)
      }
      bytes[this.length++] = 0x80 | ((code >> 6) & 0x3f)
    }
    bytes[this.length++] = 0x80 | (code & 0x3f)
  }
}
