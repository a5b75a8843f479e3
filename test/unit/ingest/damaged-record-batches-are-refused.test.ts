import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { compressSync } from 'snappy'
import { describe, expect, it } from 'vitest'
import { MillraceError } from '../../../src/base/errors.ts'
import type { Kernels } from '../../../src/columnar/kernels.ts'
import { CODECS } from '../../../src/ingest/kafka/codecs.ts'
import { findBatches } from '../../../src/ingest/kafka/fetched-batches.ts'
import { RecordBatches } from '../../../src/ingest/kafka/record-batches.ts'
import { type WrittenRecord, writeBatch } from '../../support/kafka-records.ts'
import { lz4Frame } from '../../support/lz4-frames.ts'
import { ALL_KERNELS } from '../../support/wasm-kernels.ts'
import { zstdRepeats } from '../../support/zstd-frames.ts'

const OF = { topic: 't', partition: 0 }
const LIMIT = 1_000_000

interface Read {
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
}

const readFrame = (kernels: Kernels, frame: Buffer, from: number, until: number): readonly Read[] => {
  const fetched = findBatches(OF, frame, { start: 0, end: frame.length }, [], from)
  const records: Read[] = []
  const batches = new RecordBatches({ isolation: 'read_committed', maxDecompressedBytes: LIMIT, kernels })
  for (const batch of batches.read(OF, fetched, { from, until })) {
    const text = (at: number, length: number): string | null =>
      length < 0 ? null : Buffer.from(batch.arena.subarray(at, at + length)).toString('latin1')
    for (let row = 0; row < batch.count; row += 1) {
      records.push({
        offset: batch.offsets[row] as number,
        key: text(batch.keyStart[row] as number, batch.keyLength[row] as number),
        value: text(batch.valueStart[row] as number, batch.valueLength[row] as number),
      })
    }
  }
  return records
}

const lz4Stored = (bytes: Buffer): Buffer => {
  const header = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0])
  const length = Buffer.alloc(4)
  length.writeUInt32LE((bytes.length | 0x8000_0000) >>> 0)
  return Buffer.concat([header, length, bytes, Buffer.alloc(4)])
}

const CODEC_CASES = [
  { codec: 0, compress: (bytes: Buffer) => bytes },
  { codec: 1, compress: (bytes: Buffer) => gzipSync(bytes) },
  { codec: 2, compress: (bytes: Buffer) => compressSync(bytes) },
  { codec: 3, compress: lz4Stored },
] as const

const BOMB_BYTES = 20 * LIMIT
const BOMBS = [
  { codec: 1, compress: (bytes: Buffer) => gzipSync(bytes) },
  { codec: 2, compress: (bytes: Buffer) => compressSync(bytes) },
  { codec: 3, compress: lz4Frame },
  { codec: 4, compress: (bytes: Buffer) => zstdRepeats(bytes.length) },
] as const

const bytesOrNull = fc.option(fc.uint8Array({ maxLength: 40 }).map(bytes => Buffer.from(bytes)))
const record: fc.Arbitrary<WrittenRecord> = fc.record({ key: bytesOrNull, value: bytesOrNull })
const records = fc.array(record, { minLength: 1, maxLength: 30 })

const expected = (written: readonly WrittenRecord[], base: number): readonly Read[] =>
  written.map(({ key, value }, at) => ({
    offset: base + at,
    key: key?.toString('latin1') ?? null,
    value: value?.toString('latin1') ?? null,
  }))

describe.each(ALL_KERNELS)('record batches (%s)', (_, kernels) => {
  it.each(CODEC_CASES)(
    'codec $codec: any records in any range come back, whatever the batches',
    ({ codec, compress }) => {
      fc.assert(
        fc.property(records, records, fc.nat(20), fc.nat(60), (one, two, skip, take) => {
          const second = 100 + one.length + 3
          const frame = Buffer.concat([
            writeBatch(one, { baseOffset: 100, codec, compress }),
            writeBatch(two, { baseOffset: second, codec, compress }),
            // the last batch of a fetch is usually cut off
            writeBatch(two, { baseOffset: second + two.length, codec, compress }).subarray(0, 40),
          ])
          const [from, until] = [100 + Math.min(skip, one.length - 1), 100 + skip + take]
          const all = [...expected(one, 100), ...expected(two, second)]
          expect(readFrame(kernels(), frame, from, until)).toEqual(
            all.filter(each => each.offset >= from && each.offset < until),
          )
        }),
      )
    },
  )

  it.each(CODEC_CASES)('codec $codec: a flipped bit is refused or changes no record', ({ codec, compress }) => {
    fc.assert(
      fc.property(records, fc.nat(), fc.nat(7), (written, position, bit) => {
        const frame = writeBatch(written, { baseOffset: 100, codec, compress })
        // the base offset is the broker's and under no checksum
        const at = 8 + (position % (frame.length - 8))
        frame.writeUInt8(frame.readUInt8(at) ^ (1 << bit), at)
        try {
          expect(readFrame(kernels(), frame, 100, 1000)).toEqual(expected(written, 100))
        } catch (error) {
          if (!(error instanceof MillraceError)) throw error
          expect(['CORRUPT_RECORD_BATCH', 'UNSUPPORTED_RECORD_FORMAT']).toContain(error.code)
        }
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    ['length', (batch: Buffer) => batch.writeInt32BE(3, 8)],
    ['format', (batch: Buffer) => batch.writeInt8(1, 16)],
  ])('a batch of wrong %s stops those who want it, not those who want what is before it', (_, spoil) => {
    const batch = (baseOffset: number) => writeBatch([{ key: null, value: null }], { baseOffset })
    const bad = batch(1)
    spoil(bad)
    expect(readFrame(kernels(), Buffer.concat([batch(0), bad, batch(2)]), 0, 1)).toHaveLength(1)
    expect(() => readFrame(kernels(), Buffer.concat([bad, batch(2)]), 1, 2)).toThrow(MillraceError)
  })

  it('records that lie about their lengths are refused even under a right checksum', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 1000 }), (garbage, count) => {
        const frame = writeBatch(
          Array.from({ length: count }, () => ({ key: null, value: null })),
          { baseOffset: 5, compress: () => Buffer.from(garbage) },
        )
        expect(() => readFrame(kernels(), frame, 0, 10_000)).toThrow(MillraceError)
      }),
    )
  })

  it.each(BOMBS)('codec $codec: a bomb is refused, and its memory is not taken', ({ codec, compress }) => {
    const bomb = [{ key: null, value: Buffer.alloc(BOMB_BYTES) }]
    const frame = writeBatch(bomb, { baseOffset: 0, codec, compress })
    expect(frame.length).toBeLessThan(LIMIT)
    const before = process.memoryUsage().arrayBuffers
    expect(() => readFrame(kernels(), frame, 0, 1)).toThrow(expect.objectContaining({ code: 'RECORD_TOO_LARGE' }))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * LIMIT)
  })

  it.each([0, 1])('message sets of format %s, which brokers before 0.11 stored, are refused by name', magic => {
    const frame = writeBatch([{ key: null, value: Buffer.from('v') }], { baseOffset: 0 })
    frame.writeInt8(magic, 16)
    expect(() => readFrame(kernels(), frame, 0, 1)).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_RECORD_FORMAT' }),
    )
  })
})

describe.each(ALL_KERNELS)('decompressors (%s)', (_, kernels) => {
  it('never throw, hang or exceed the limit, whatever they are given', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        (bytes, codec, framed) => {
          const prefix = framed && codec === 3 ? [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0] : []
          const source = Buffer.from([...prefix, ...bytes])
          const into = kernels().recordWorkspace(16)
          const outcome = CODECS[codec]?.(source, 0, source.length, into, 1000)
          expect(['done', 'malformed', 'tooLarge']).toContain(outcome)
          expect(into.arena.length).toBeLessThanOrEqual(1000)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('lz4: literals, matches that overlap what they make, and long lengths', () => {
    const block = Buffer.from([0x2f, 97, 98, 2, 0, 5, 0x50, 118, 119, 120, 121, 122])
    const frame = Buffer.concat([
      Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0, block.length, 0, 0, 0]),
      block,
      Buffer.alloc(4),
    ])
    const into = kernels().recordWorkspace(1)
    expect(into.lz4(frame, 0, frame.length, 1000)).toBe('done')
    expect(Buffer.from(into.arena.bytes.subarray(0, into.arena.length)).toString()).toBe(`${'ab'.repeat(13)}vwxyz`)
    for (let end = 0; end < frame.length; end += 1) {
      expect(kernels().recordWorkspace(1).lz4(frame, 0, end, 1000)).toBe('malformed')
    }
    expect(kernels().recordWorkspace(1).lz4(frame, 0, frame.length, 20)).toBe('tooLarge')
  })
})
