import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32cHex } from '../../../src/base/crc32c.ts'
import { utf8Bytes } from '../../../src/base/text.ts'
import type { ColumnBatch } from '../../../src/columnar/column-batch.ts'
import { materialize } from '../../../src/columnar/row-view.ts'
import { decodeBatch, encodeBatch } from '../../../src/columnar/serialize.ts'
import { ALL_TYPES, batchOf, plainRows, selectedRows, someFields } from './fixtures/batches.ts'
import { fieldOf } from './fixtures/json-records.ts'

const batches = someFields(ALL_TYPES, 0, 5)
  .chain(fields => selectedRows(fields, 20).map(({ rows, keep }) => ({ fields, rows, keep })))
  .map(({ fields, rows, keep }) => batchOf(fields, rows, keep))
const damaged = expect.objectContaining({ code: 'CHECKPOINT_DAMAGED' })

describe('a batch written as bytes', () => {
  it('comes back with the same schema and rows, wherever the bytes lie', () => {
    fc.assert(
      fc.property(batches, fc.nat({ max: 8 }), (batch, before) => {
        const bytes = encodeBatch(batch)
        const elsewhere = new Uint8Array(bytes.length + before + 3).fill(0xff)
        elsewhere.set(bytes, before)
        const read = decodeBatch(elsewhere.subarray(before, before + bytes.length))
        expect(read.schema).toEqual(batch.schema)
        expect(read.selection).toBeNull()
        expect(plainRows(read)).toEqual(plainRows(batch))
      }),
    )
  })

  it('comes back from columns that are slices of larger ones', () => {
    const fields = [fieldOf('s', 'string'), fieldOf('l', 'list<string>')]
    const rows = [
      ['left out', ['x', 'y']],
      ['first', ['a', null]],
      ['second', []],
      ['left out', ['z']],
    ]
    const whole = batchOf(fields, rows)
    const columns = whole.columns.map(column =>
      'offsets' in column ? { ...column, length: 2, validity: null, offsets: column.offsets.subarray(1, 4) } : column,
    )
    expect(plainRows(decodeBatch(encodeBatch({ ...whole, columns, length: 2 })))).toEqual(rows.slice(1, 3))
  })

  it('is written the same way each time, its buffers at multiples of 8', () => {
    fc.assert(
      fc.property(batches, batch => {
        const bytes = encodeBatch(batch)
        expect(encodeBatch(decodeBatch(bytes))).toEqual(bytes)
        expect(bytes.length % 8).toBe(0)
      }),
    )
  })
})

describe('damaged bytes', () => {
  it('are refused when one bit is flipped, anywhere', () => {
    fc.assert(
      fc.property(batches, fc.nat(), (batch, at) => {
        const bytes = encodeBatch(batch)
        const bit = at % (bytes.length * 8)
        bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
        expect(() => decodeBatch(bytes)).toThrow(damaged)
      }),
      { numRuns: 500 },
    )
  })

  it('are refused when cut off, anywhere, and when something follows', () => {
    fc.assert(
      fc.property(batches, fc.nat(), (batch, at) => {
        const bytes = encodeBatch(batch)
        expect(() => decodeBatch(bytes.subarray(0, at % bytes.length))).toThrow(damaged)
        expect(() => decodeBatch(Uint8Array.of(...bytes, 0))).toThrow(damaged)
      }),
    )
  })

  it('are refused where they are something else', () => {
    fc.assert(
      fc.property(fc.uint8Array(), bytes => {
        expect(() => decodeBatch(bytes)).toThrow(damaged)
      }),
    )
    expect(() => decodeBatch(utf8Bytes('{"fields":[]}'))).toThrow(damaged)
  })

  it('are refused or whole even where their checksum fits', () => {
    let refused = 0
    fc.assert(
      fc.property(batches, fc.nat(), (batch, at) => {
        const bytes = encodeBatch(batch)
        const bit = 64 + (at % ((bytes.length - 8) * 8))
        bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
        new DataView(bytes.buffer).setUint32(4, Number.parseInt(crc32cHex(bytes.subarray(8)), 16), true)
        const read = readOrRefuse(bytes)
        if (read === null) refused += 1
        else expect(materialize(read)).toHaveLength(read.length)
      }),
      { numRuns: 500, seed: 7 },
    )
    expect(refused).toBeGreaterThan(50)
  })
})

const readOrRefuse = (bytes: Uint8Array): ColumnBatch | null => {
  try {
    return decodeBatch(bytes)
  } catch (error) {
    expect(error).toEqual(damaged)
    return null
  }
}
