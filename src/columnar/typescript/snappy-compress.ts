/** Entries of the table of positions. */
const TABLE_BITS = 14
/** Offsets in copies have two bytes. */
const MAX_DISTANCE = 65_535
/** So many bytes at the end are never the start of a copy. */
const TAIL = 40
/** A copy of fewer bytes saves too little for its time. */
const LEAST_MATCH = 6
/** How far behind a copy its distance is tried again. */
const REPEAT_WINDOW = 32
const MAX_COPY = 64

/** The most bytes that a block of so many bytes takes. */
export const maxCompressedLength = (bytes: number): number => 32 + bytes + Math.ceil(bytes / 6)

/**
 * A block of Snappy's raw format (format description of 2011), byte for byte as the kernel in WebAssembly writes it.
 *
 * Beside the usual search by hashes, the distance of the last copy is tried again: columns of texts of one shape repeat
 * themselves a row before, between values that differ.
 */
export const snappyCompress = (source: Uint8Array): Uint8Array => {
  const out = new SnappyBlock(source)
  const table = new Int32Array(1 << TABLE_BITS)
  const limit = source.length - TAIL
  let at = 1
  while (at < limit) {
    let distance = 0
    for (let misses = 32; at < limit; misses++) {
      distance = lookUp(source, table, at)
      if (distance !== 0) break
      at += misses >> 5
    }
    while (distance !== 0) {
      const length = LEAST_MATCH + sameLength(source, at + LEAST_MATCH, distance)
      out.copy(at, distance, length)
      at += length
      if (at >= limit) break
      const repeat = nextRepeat(source, at, distance)
      if (repeat < REPEAT_WINDOW) {
        at += repeat
        continue
      }
      table[slot(source, at - 1)] = at - 1
      distance = lookUp(source, table, at)
      if (distance === 0) at++
    }
  }
  return out.finish()
}

/** The distance to an earlier place with the same bytes, or 0; the table then knows this place. */
const lookUp = (source: Uint8Array, table: Int32Array, at: number): number => {
  const entry = slot(source, at)
  const candidate = table[entry] as number
  table[entry] = at
  const distance = at - candidate
  return distance <= MAX_DISTANCE && sameBytes(source, at, distance, LEAST_MATCH) ? distance : 0
}

const word = (source: Uint8Array, at: number): number =>
  (source[at] as number) |
  ((source[at + 1] as number) << 8) |
  ((source[at + 2] as number) << 16) |
  ((source[at + 3] as number) << 24)

/** By the next six bytes. */
const slot = (source: Uint8Array, at: number): number => {
  const high = (source[at + 4] as number) | ((source[at + 5] as number) << 8)
  return Math.imul(word(source, at) ^ Math.imul(high, 0x9e37_79b1), 0x85eb_ca6b) >>> (32 - TABLE_BITS)
}

const sameBytes = (source: Uint8Array, at: number, distance: number, count: number): boolean => {
  for (let i = at; i < at + count; i++) if (source[i] !== source[i - distance]) return false
  return true
}

const sameLength = (source: Uint8Array, at: number, distance: number): number => {
  let end = at
  while (end < source.length && source[end] === source[end - distance]) end++
  return end - at
}

const nextRepeat = (source: Uint8Array, at: number, distance: number): number => {
  let same = 0
  for (let i = 0; i < REPEAT_WINDOW; i++) {
    same = source[at + i] === source[at + i - distance] ? same + 1 : 0
    if (same === LEAST_MATCH) return i + 1 - LEAST_MATCH
  }
  return REPEAT_WINDOW
}

/** The elements of a block. */
class SnappyBlock {
  readonly #source: Uint8Array
  readonly #bytes: Uint8Array
  #length = 0
  /** Bytes before this are in the block. */
  #pending = 0

  constructor(source: Uint8Array) {
    this.#source = source
    this.#bytes = new Uint8Array(maxCompressedLength(source.length))
    let rest = source.length
    for (; rest >= 128; rest >>>= 7) this.#byte((rest & 127) | 128)
    this.#byte(rest)
  }

  /** What is pending before `at` as it is, then a copy. */
  copy(at: number, distance: number, length: number): void {
    this.#literal(at)
    let left = length
    while (left > MAX_COPY) {
      // what is left must be long enough for an element of its own
      const part = left < MAX_COPY + 4 ? MAX_COPY - 4 : MAX_COPY
      this.#element(((part - 1) << 2) | 2, distance, 2)
      left -= part
    }
    if (left < 12 && distance < 2048) this.#element(((distance >>> 8) << 5) | ((left - 4) << 2) | 1, distance & 255, 1)
    else this.#element(((left - 1) << 2) | 2, distance, 2)
    this.#pending = at + length
  }

  finish(): Uint8Array {
    this.#literal(this.#source.length)
    return this.#bytes.slice(0, this.#length)
  }

  #literal(until: number): void {
    const from = this.#pending
    const last = until - from - 1
    if (last < 0) return
    if (last < 60) this.#byte(last << 2)
    else if (last < 256) this.#element(60 << 2, last, 1)
    else if (last < 65_536) this.#element(61 << 2, last, 2)
    else this.#element(63 << 2, last, 4)
    // not by a view of the source: there may be one literal for each row
    const source = this.#source
    const bytes = this.#bytes
    let to = this.#length
    for (let at = from; at < until; at++) bytes[to++] = source[at] as number
    this.#length = to
  }

  #element(tag: number, value: number, bytes: number): void {
    this.#byte(tag)
    for (let i = 0; i < bytes; i++) this.#byte(value >>> (8 * i))
  }

  #byte(value: number): void {
    this.#bytes[this.#length++] = value
  }
}
