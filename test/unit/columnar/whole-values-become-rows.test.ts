import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ValueDecoder } from '../../../src/columnar/typescript/value-decoder.ts'
import { fieldsOf, recordsOf, valuesOf } from './fixtures/json-records.ts'

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const OPTIONS = { maxRecordBytes: 20 }

const textOf = (bytes: Uint8Array): string | null => {
  try {
    return strict.decode(bytes)
  } catch {
    return null
  }
}

const value = fc.option(
  fc.oneof(
    fc.uint8Array({ maxLength: 24 }),
    fc.string({ unit: 'binary', maxLength: 8 }).map(text => new TextEncoder().encode(text)),
  ),
)

describe('decoding whole values', () => {
  it('takes every value as bytes but null and too long ones', () => {
    fc.assert(
      fc.property(fc.array(value), values => {
        const { rows, bad } = new ValueDecoder({ fields: fieldsOf({ v: 'bytes' }) }, OPTIONS).decode(recordsOf(values))
        expect(valuesOf(rows.columns[0])).toEqual(values.filter(bytes => bytes !== null && bytes.length <= 20))
        const faults = values.flatMap((bytes, record) => {
          if (bytes !== null && bytes.length <= 20) return []
          return [{ record, reason: bytes === null ? 'nullValue' : 'tooLarge', column: '' }]
        })
        expect(bad).toEqual(faults)
      }),
    )
  })

  it('takes as strings what is UTF-8, with the records they came from', () => {
    fc.assert(
      fc.property(fc.array(value), values => {
        const decoder = new ValueDecoder({ fields: fieldsOf({ v: 'string' }) }, OPTIONS)
        for (let round = 0; round < 2; round++) {
          const { rows, bad } = decoder.decode(recordsOf(values))
          const texts = values.map(bytes => (bytes === null || bytes.length > 20 ? null : textOf(bytes)))
          expect(valuesOf(rows.columns[0])).toEqual(texts.filter(text => text !== null))
          expect([...(rows.origin?.recordOf ?? [])]).toEqual(texts.flatMap((text, i) => (text === null ? [] : [i])))
          expect(bad.map(({ record }) => record)).toEqual(texts.flatMap((text, i) => (text === null ? [i] : [])))
        }
      }),
      { numRuns: 500 },
    )
  })

  it('knows UTF-8 at every border of its table of well-formed sequences', () => {
    const seconds = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff]
    const tails = [[], [0x80], [0x80, 0x80], [0xbf, 0xbf], [0x80, 0x7f], [0xc0], [0x80, 0xc0]]
    const decoder = new ValueDecoder({ fields: fieldsOf({ v: 'string' }) }, OPTIONS)
    for (let lead = 0x80; lead <= 0xff; lead++) {
      const values = seconds.flatMap(second => tails.map(tail => Uint8Array.of(lead, second, ...tail)))
      values.push(Uint8Array.of(lead))
      const { bad } = decoder.decode(recordsOf(values))
      expect(bad.map(({ record }) => record)).toEqual(values.flatMap((bytes, i) => (textOf(bytes) === null ? [i] : [])))
    }
  })
})
