import zlib from 'node:zlib'
import { Decompress } from 'fzstd'
import { uncompressSync } from 'snappy'
import type { DecompressOutcome, GrowingArena } from '../../columnar/growing-arena.ts'
import type { RecordWorkspace } from '../../columnar/record-workspace.ts'

/**
 * Appends the contents of `source[start, end)` to the arena of `into`, at most `limit` bytes. Never throws for bad input.
 */
export type Decompressor = (
  source: Buffer,
  start: number,
  end: number,
  into: RecordWorkspace,
  limit: number,
) => DecompressOutcome

const gzip: Decompressor = (source, start, end, { arena }, limit) =>
  natively(arena, () => zlib.gunzipSync(source.subarray(start, end), { maxOutputLength: limit }))

/** What the Java clients write before blocks of snappy: a magic, a version and the oldest compatible one. */
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
const XERIAL_HEADER_BYTES = 16

const snappy: Decompressor = (source, start, end, into, limit) => {
  if (source.compare(XERIAL_MAGIC, 0, XERIAL_MAGIC.length, start, Math.min(end, start + XERIAL_MAGIC.length)) !== 0) {
    return snappyBlock(source, start, end, into, limit)
  }
  const { arena } = into
  const maxLength = arena.length + limit
  for (let at = start + XERIAL_HEADER_BYTES; at < end; ) {
    if (at + 4 > end) return 'malformed'
    const blockEnd = at + 4 + source.readUInt32BE(at)
    if (blockEnd > end) return 'malformed'
    const outcome = snappyBlock(source, at + 4, blockEnd, into, maxLength - arena.length)
    if (outcome !== 'done') return outcome
    at = blockEnd
  }
  return 'done'
}

const snappyBlock: Decompressor = (source, start, end, into, limit) => {
  // a block begins with the length of its contents as a varint
  let length = 0
  let at = start
  for (let scale = 1; ; scale *= 128) {
    if (at === end || at === start + 5) return 'malformed'
    const byte = source.readUInt8(at++)
    length += (byte & 0x7f) * scale
    if (byte < 0x80) break
  }
  if (length > limit) return 'tooLarge'
  const block = source.subarray(start, end)
  return (
    into.snappy(source, at, end, length) ??
    natively(into.arena, () => uncompressSync(block, { asBuffer: true }) as Buffer)
  )
}

const lz4: Decompressor = (source, start, end, into, limit) => into.lz4(source, start, end, limit)

type ZstdSync = (source: Buffer, options: { readonly maxOutputLength: number }) => Buffer

/** Node has zstd from 22.15 on; before that, a decoder in JavaScript does. */
const nativeZstd: unknown = Reflect.get(zlib, 'zstdDecompressSync')
const isZstdSync = (candidate: unknown): candidate is ZstdSync => typeof candidate === 'function'

const zstd: Decompressor = (source, start, end, { arena: into }, limit) => {
  const frames = source.subarray(start, end)
  if (isZstdSync(nativeZstd)) return natively(into, () => nativeZstd(frames, { maxOutputLength: limit }))
  const before = into.length
  try {
    const stream = new Decompress(chunk => {
      if (into.length - before + chunk.length > limit) throw new TooLarge()
      into.append(chunk)
    })
    stream.push(frames, true)
    return 'done'
  } catch (error) {
    into.length = before
    return error instanceof TooLarge ? 'tooLarge' : 'malformed'
  }
}

class TooLarge extends Error {}

/** Codecs by the number in a record batch's attributes; 0 is none. */
export const CODECS: readonly (Decompressor | null)[] = [null, gzip, snappy, lz4, zstd]
export const CODEC_NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

const natively = (into: GrowingArena, decompress: () => Buffer): DecompressOutcome => {
  try {
    into.append(decompress())
    return 'done'
  } catch (error) {
    return Reflect.get(Object(error), 'code') === 'ERR_BUFFER_TOO_LARGE' ? 'tooLarge' : 'malformed'
  }
}
