/** Writes ASCII and numbers into a growing byte array without a string per value. */
export class ByteWriter {
  bytes: Uint8Array
  length = 0

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity)
  }

  /** Makes room for `more` bytes; what follows may then write without asking. */
  reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return
    const bytes = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more))
    bytes.set(this.bytes)
    this.bytes = bytes
  }

  /** Bytes made beforehand. */
  put(source: Uint8Array): void {
    const { bytes, length } = this
    for (let at = 0; at < source.length; at += 1) bytes[length + at] = source[at] as number
    this.length = length + source.length
  }

  /** A whole number from 0 to 2^53 - 1 in decimal. */
  putWhole(value: number): void {
    let digits = 1
    for (let power = 10; power <= value; power *= 10) digits += 1
    let rest = value
    for (let at = this.length + digits - 1; at >= this.length; at -= 1) {
      const next = Math.floor(rest / 10)
      this.bytes[at] = 48 + rest - next * 10
      rest = next
    }
    this.length += digits
  }

  /** 32 bits as eight hexadecimal digits. */
  putHex(value: number): void {
    for (let shift = 28; shift >= 0; shift -= 4) {
      const digit = (value >>> shift) & 15
      this.bytes[this.length] = digit < 10 ? 48 + digit : 87 + digit
      this.length += 1
    }
  }
}
