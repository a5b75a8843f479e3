import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeMessages, MessageReader } from '../../../src/sinks/message-encoder.ts'
import { batchOf } from '../columnar/fixtures/batches.ts'
import { fieldsOf } from '../columnar/fixtures/json-records.ts'

const FIELDS = fieldsOf({ id: 'int32', key: 'string?', raw: 'bytes?', day: 'date', ok: 'bool', at: 'timestamp' })
const row = fc.tuple(
  fc.integer(),
  fc.option(fc.string({ maxLength: 20 })),
  fc.option(fc.uint8Array({ maxLength: 20 })),
  fc.constant(20_468),
  fc.boolean(),
  fc.constant(1_768_471_200_000),
)
const batches = fc.array(fc.array(row, { maxLength: 30 }), { maxLength: 4 })

const LIMITS = { maxMessageBytes: 1000, pieceBytes: 200 }
const text = (bytes: Uint8Array, start: number, end: number): string | null =>
  start < 0 ? null : Buffer.from(bytes.subarray(start, end)).toString('latin1')

const messages = (rows: readonly (readonly unknown[])[][], columns: { key: string | null; value: string | null }) => {
  const pieces = [
    ...encodeMessages(
      rows.map(each => batchOf(FIELDS, each)),
      { ...columns, ...LIMITS },
    ),
  ]
  return pieces.map(({ bytes, rows: count }) => {
    const reader = new MessageReader(bytes)
    const found: (readonly [string | null, string | null])[] = []
    while (reader.next()) {
      found.push([text(bytes, reader.keyStart, reader.keyEnd), text(bytes, reader.valueStart, reader.valueEnd)])
    }
    expect(found).toHaveLength(count)
    return found
  })
}

const latin1 = (value: unknown): string | null =>
  value === null ? null : Buffer.from(value as string | Uint8Array).toString('latin1')

describe('messages', () => {
  it('are read as they were written, in pieces, with null and empty told apart', () => {
    fc.assert(
      fc.property(batches, rows => {
        const pieces = messages(rows, { key: 'key', value: 'raw' })
        expect(pieces.flat()).toEqual(rows.flat().map(([, key, raw]) => [latin1(key), latin1(raw)]))
        const bytes = pieces.map(piece =>
          piece.reduce((sum, [k, v]) => sum + 8 + (k?.length ?? 0) + (v?.length ?? 0), 0),
        )
        // every piece but the last is full, and none is more than one message too large
        for (const [at, size] of bytes.entries()) {
          expect(size).toBeLessThan(LIMITS.pieceBytes + 8 + 40 + 20)
          if (at < bytes.length - 1) expect(size).toBeGreaterThanOrEqual(LIMITS.pieceBytes)
        }
      }),
    )
  })

  it('have the whole row as value and any column as key', () => {
    const rows = [[[-5, 'k', null, 20_468, true, 1_768_471_200_000]]]
    const keyOf = (key: string) => messages(rows, { key, value: null }).flat()[0]?.[0]
    expect(['id', 'day', 'ok', 'at'].map(keyOf)).toEqual(['-5', '2026-01-15', 'true', '1768471200000'])
    const [[, value] = []] = messages(rows, { key: null, value: null }).flat()
    expect(value).toBe('{"id":-5,"key":"k","raw":null,"day":"2026-01-15","ok":true,"at":1768471200000}')
  })

  it('that are too large are refused', () => {
    const large = [[[1, 'x'.repeat(1001), null, 0, true, 0]]]
    expect(() => messages(large, { key: 'key', value: 'raw' })).toThrow('1001 bytes, and 1000 are allowed')
  })
})
