import type { DecompressOutcome, GrowingArena } from '../growing-arena.ts'

const MAGIC = 0x184d2204
const VERSION_BITS = 0b1100_0000
const VERSION_1 = 0b0100_0000
const BLOCK_CHECKSUM = 0b0001_0000
const CONTENT_SIZE = 0b0000_1000
const CONTENT_CHECKSUM = 0b0000_0100
const DICTIONARY_ID = 0b0000_0001
const UNCOMPRESSED = 0x8000_0000
const MIN_MATCH = 4
/** From here on one call of `copyWithin` or `set` is cheaper than a loop. */
const LONG_COPY = 48

/**
 * Appends the contents of LZ4 frames (LZ4 Frame Format 1.6.1) in `source[start, end)` to `into`, at most `limit` bytes.
 * Checksums of blocks and contents are skipped: what carries the frames is checked as a whole.
 */
export const decompressLz4 = (
  source: Uint8Array,
  start: number,
  end: number,
  into: GrowingArena,
  limit: number,
  block: BlockDecoder = decompressBlock,
): DecompressOutcome => {
  const decoder = new FrameDecoder(source, end, into, into.length + limit, block)
  let at = start
  if (at >= end) return 'malformed'
  while (at < end) {
    at = decoder.frame(at)
    if (at === TOO_LARGE) return 'tooLarge'
    if (at < 0) return 'malformed'
  }
  return 'done'
}

/**
 * One block (LZ4 Block Format) in source[start, end): answers where its contents, from `outStart` on, end in `out`, or
 * MALFORMED, or TOO_LARGE where they would pass `outEnd`. `lowest` is the first byte that a match may refer to, which is
 * that of the frame where blocks depend on each other.
 */
export type BlockDecoder = (
  source: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  outStart: number,
  outEnd: number,
  lowest: number,
) => number

const MALFORMED = -1
const TOO_LARGE = -2

const uint32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)) >>>
  0

class FrameDecoder {
  readonly #source: Uint8Array
  readonly #end: number
  readonly #into: GrowingArena
  readonly #maxLength: number
  readonly #decodeBlock: BlockDecoder

  constructor(source: Uint8Array, end: number, into: GrowingArena, maxLength: number, decodeBlock: BlockDecoder) {
    this.#source = source
    this.#end = end
    this.#into = into
    this.#maxLength = maxLength
    this.#decodeBlock = decodeBlock
  }

  /** Decodes the frame at `start`; answers where it ends. */
  frame(start: number): number {
    const source = this.#source
    const end = this.#end
    if (end - start < 7 || uint32(source, start) !== MAGIC) return MALFORMED
    const flags = source[start + 4] as number
    const sizeCode = ((source[start + 5] as number) >>> 4) & 7
    if ((flags & VERSION_BITS) !== VERSION_1 || sizeCode < 4 || (flags & DICTIONARY_ID) !== 0) return MALFORMED
    const maxBlockBytes = 1 << (8 + 2 * sizeCode)
    let at = start + 7 + ((flags & CONTENT_SIZE) === 0 ? 0 : 8)
    const frameStart = this.#into.length
    for (;;) {
      if (at + 4 > end) return MALFORMED
      const header = uint32(source, at)
      at += 4
      if (header === 0) break
      const bytes = (header & ~UNCOMPRESSED) >>> 0
      if (bytes > maxBlockBytes || at + bytes > end) return MALFORMED
      const outcome = this.#block(at, bytes, header >= UNCOMPRESSED, maxBlockBytes, frameStart)
      if (outcome < 0) return outcome
      at += bytes + ((flags & BLOCK_CHECKSUM) === 0 ? 0 : 4)
    }
    at += (flags & CONTENT_CHECKSUM) === 0 ? 0 : 4
    return at > end ? MALFORMED : at
  }

  #block(at: number, bytes: number, stored: boolean, maxBlockBytes: number, frameStart: number): number {
    const into = this.#into
    const room = Math.min(maxBlockBytes, this.#maxLength - into.length)
    if (stored) {
      if (bytes > room) return TOO_LARGE
      into.append(this.#source.subarray(at, at + bytes))
      return into.length
    }
    into.reserve(room)
    const written = this.#decodeBlock(
      this.#source,
      at,
      at + bytes,
      into.bytes,
      into.length,
      into.length + room,
      frameStart,
    )
    if (written === TOO_LARGE) return room < maxBlockBytes ? TOO_LARGE : MALFORMED
    if (written >= 0) into.length = written
    return written
  }
}

/** The reference of every block decoder. */
export const decompressBlock: BlockDecoder = (source, start, end, out, outStart, outEnd, lowest) => {
  let at = start
  let to = outStart
  while (at < end) {
    const token = source[at++] as number
    let literals = token >>> 4
    if (literals === 15) {
      let byte: number
      do {
        if (at >= end) return MALFORMED
        byte = source[at++] as number
        literals += byte
      } while (byte === 255)
    }
    if (at + literals > end) return MALFORMED
    if (to + literals > outEnd) return TOO_LARGE
    if (literals < LONG_COPY) {
      for (const stop = at + literals; at < stop; ) out[to++] = source[at++] as number
    } else {
      out.set(source.subarray(at, at + literals), to)
      at += literals
      to += literals
    }
    // the last sequence of a block has no match
    if (at === end) return to
    if (at + 2 > end) return MALFORMED
    const distance = (source[at] as number) | ((source[at + 1] as number) << 8)
    at += 2
    let length = (token & 15) + MIN_MATCH
    if (length === 15 + MIN_MATCH) {
      let byte: number
      do {
        if (at >= end) return MALFORMED
        byte = source[at++] as number
        length += byte
      } while (byte === 255)
    }
    let from = to - distance
    if (distance === 0 || from < lowest) return MALFORMED
    if (to + length > outEnd) return TOO_LARGE
    if (length >= LONG_COPY && distance >= length) {
      out.copyWithin(to, from, from + length)
      to += length
    } else {
      // a match may overlap what it makes: byte after byte repeats it
      for (const stop = to + length; to < stop; ) out[to++] = out[from++] as number
    }
  }
  // a block ends with literals, so it never ends here
  return MALFORMED
}
