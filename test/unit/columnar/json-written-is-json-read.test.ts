import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rowCount } from '../../../src/columnar/column-batch.ts'
import { GrowingArena } from '../../../src/columnar/growing-arena.ts'
import { jsonClash, jsonEncoder } from '../../../src/columnar/json-encoder.ts'
import type { Field } from '../../../src/columnar/schema.ts'
import { ALL_TYPES, batchOf, plainRows, selectedRows, someFields } from './fixtures/batches.ts'
import { decode, fieldsOf } from './fixtures/json-records.ts'

const encoded = (batch: ReturnType<typeof batchOf>): readonly Uint8Array[] => {
  const encoder = jsonEncoder(batch.schema)
  encoder.bind(batch)
  return Array.from({ length: rowCount(batch) }, (_, at) => {
    // what lies before is not touched
    const out = new GrowingArena(1)
    out.append(new Uint8Array([7]))
    encoder.write(batch.selection?.[at] ?? at, out)
    expect(out.bytes[0]).toBe(7)
    return out.bytes.slice(1, out.length)
  })
}

/** What JSON can't say comes back as null, and so does its null. */
const readable = (type: string, value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(item => readable(type.slice(5, -1), item))
  if (type === 'json' && value === 'null') return null
  if (typeof value === 'number' && type.startsWith('float') && !Number.isFinite(value)) return null
  return value
}
/** 0000-01-01 and 9999-12-31. */
const FIRST_DAY = -719_528
const LAST_DAY = 2_932_896
/** Whether the value can be written so that it is read: years of dates have four digits. */
const sayable = (type: string, value: unknown): boolean => {
  if (Array.isArray(value)) return value.every(item => sayable(type.slice(5, -1), item))
  return type !== 'date' || value === null || ((value as number) >= FIRST_DAY && (value as number) <= LAST_DAY)
}

describe('rows as JSON', () => {
  it('are read back as they were, whatever their columns', () => {
    const cases = someFields(ALL_TYPES, 1, 6)
      // NaN comes back as null, which a required column can't hold
      .map(fields => fields.map((field): Field => ({ ...field, nullable: true })))
      .chain(fields => selectedRows(fields, 6).map(selected => ({ fields, ...selected })))
    fc.assert(
      fc.property(cases, ({ fields, rows, keep }) => {
        const spoken = rows.map(row => row.map((value, at) => (sayable(fields[at]?.type ?? '', value) ? value : null)))
        const batch = batchOf(fields, spoken, keep)
        const { rows: back, bad } = decode(fields, encoded(batch))
        expect(bad).toEqual([])
        const expected = plainRows(batch).map(row => row.map((value, at) => readable(fields[at]?.type ?? '', value)))
        expect(plainRows(back)).toEqual(expected)
      }),
    )
  })

  it('are what JSON.parse reads: paths are nested objects, in the order of their first member', () => {
    const fields = fieldsOf({
      id: 'int64',
      'device.type': 'string?',
      title: 'string',
      'device.os.name': 'string',
      at: 'timestamp',
    })
    const text = 'a "b" \\ \u0000\u001f\u007f ü 😀'
    const batch = batchOf(fields, [[9_007_199_254_740_993n, null, text, 'x', 1_700_000_000_000]])
    const [json] = encoded(batch)
    const written = new TextDecoder().decode(json)
    expect(written).toMatch(/^\{"id":9007199254740993,"device":\{"type":null,"os":\{"name":"x"\}\},"title":/)
    expect(JSON.parse(written)).toMatchObject({ title: text, at: 1_700_000_000_000 })
  })

  it('can not hold a value and what lies within it', () => {
    expect(jsonClash({ fields: fieldsOf({ device: 'json', 'device.type': 'string' }) })).toEqual([
      'device',
      'device.type',
    ])
    expect(
      jsonClash({ fields: fieldsOf({ device: 'json', devices: 'string', 'a.b': 'string', 'a.c': 'string' }) }),
    ).toBe(null)
  })
})
