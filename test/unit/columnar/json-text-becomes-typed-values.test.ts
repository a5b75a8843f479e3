import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Field } from '../../../src/columnar/schema.ts'
import { decodeOne, fieldsOf } from './fixtures/json-records.ts'

const iso: readonly Field[] = [{ name: 't', type: 'timestamp', nullable: true, timestampText: 'iso8601' }]
const readIso = (text: string): unknown => decodeOne(iso, JSON.stringify({ t: text }))[0]
const MS_PER_DAY = 86_400_000

describe('timestamps from JSON', () => {
  it('are whole epoch milliseconds unless the field says otherwise', () => {
    const fields = fieldsOf({ t: 'timestamp' })
    expect(decodeOne(fields, '{"t":1700000000123}')).toEqual([1_700_000_000_123n])
    expect(decodeOne(fields, '{"t":-1}')).toEqual([-1n])
    expect(decodeOne(fields, '{"t":1.5}')).toEqual(['wrongType', 't'])
    expect(decodeOne(fields, '{"t":"2024-01-01T00:00:00Z"}')).toEqual(['wrongType', 't'])
    expect(decodeOne(iso, '{"t":1700000000123}')).toEqual(['wrongType', 't'])
  })

  it('are read from ISO 8601 as Date reads it', () => {
    const range = {
      min: new Date('0000-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    }
    fc.assert(
      fc.property(fc.date(range), date => {
        expect(readIso(date.toISOString())).toBe(BigInt(date.getTime()))
      }),
    )
  })

  it('are moved by their zone', () => {
    const range = { min: new Date('0001-01-02T00:00:00Z'), max: new Date('9999-12-30T00:00:00Z'), noInvalidDate: true }
    fc.assert(
      fc.property(fc.date(range), fc.integer({ min: -1439, max: 1439 }), (date, east) => {
        const local = new Date(date.getTime() + east * 60_000).toISOString().slice(0, -1)
        const pad = (value: number) => String(value).padStart(2, '0')
        const hours = pad(Math.floor(Math.abs(east) / 60))
        const minutes = pad(Math.abs(east) % 60)
        const sign = east < 0 ? '-' : '+'
        expect(readIso(`${local}${sign}${hours}:${minutes}`)).toBe(BigInt(date.getTime()))
        expect(readIso(`${local}${sign}${hours}${minutes}`)).toBe(BigInt(date.getTime()))
      }),
    )
  })

  it.each([
    ['2024-02-29', '2024-02-29T00:00:00Z'],
    ['2024-02-29T10:11', '2024-02-29T10:11:00Z'],
    ['2024-02-29 10:11:12', '2024-02-29T10:11:12Z'],
    ['2024-02-29t10:11:12z', '2024-02-29T10:11:12Z'],
    ['2024-02-29T10:11:12.5', '2024-02-29T10:11:12.500Z'],
    ['2024-02-29T10:11:12.123999999Z', '2024-02-29T10:11:12.123Z'],
    ['2024-02-29T10:11:12+02', '2024-02-29T08:11:12Z'],
    ['1969-12-31T23:59:59.999Z', '1969-12-31T23:59:59.999Z'],
  ])('reads %s', (text, same) => expect(readIso(text)).toBe(BigInt(Date.parse(same))))

  it.each([
    '',
    '2024',
    '2023-02-29',
    '2024-13-01',
    '2024-00-01',
    '2024-01-00',
    '2024-04-31',
    '2024-01-01T',
    '2024-01-01T1:00',
    '2024-01-01T24:00:00Z',
    '2024-01-01T10:60',
    '2024-01-01T10:00:60Z',
    '2024-01-01T10:00:',
    '2024-01-01T10:00:00.',
    '2024-01-01T10:00:00ZZ',
    '2024-01-01T10:00:00+1',
    '2024-01-01T10:00:00+24:00',
    '2024-01-01T10:00:00+0a',
    '2024-01-01X10:00',
    '2O24-01-01',
    ' 2024-01-01',
  ])('does not read %j', text => expect(readIso(text)).toBe('wrongType'))
})

describe('dates from JSON', () => {
  it('count days since 1970-01-01', () => {
    fc.assert(
      fc.property(fc.integer({ min: -719_528, max: 2_932_896 }), day => {
        const text = new Date(day * MS_PER_DAY).toISOString().slice(0, 10)
        expect(decodeOne(fieldsOf({ d: 'date' }), `{"d":"${text}"}`)).toEqual([day])
      }),
      { numRuns: 1000 },
    )
  })

  it.each(['"2024-1-1"', '"2100-02-29"', '"2024-01-01T00:00"', '19000'])('are not made of %s', json => {
    expect(decodeOne(fieldsOf({ d: 'date' }), `{"d":${json}}`)).toEqual(['wrongType', 'd'])
  })
})

describe('bytes from JSON', () => {
  it('are base64 text, with or without padding, also where it is escaped', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), bytes => {
        const text = Buffer.from(bytes).toString('base64')
        for (const form of [text, text.replace(/=+$/, ''), text.replaceAll('/', '\\/'), text.replace('A', '\\u0041')]) {
          expect(decodeOne(fieldsOf({ b: 'bytes' }), `{"b":"${form}"}`)).toEqual([bytes])
        }
      }),
    )
  })

  it.each(['A', 'AAAAA', 'AA=', '====', 'A===', 'AA-_', 'AA A', 'AAA=AAAA'])('are not made of %j', text => {
    expect(decodeOne(fieldsOf({ b: 'bytes' }), `{"b":"${text}"}`)).toEqual(['wrongType', 'b'])
  })
})

describe('lists from JSON', () => {
  const lists = fieldsOf({
    i: 'list<int32>',
    s: 'list<string>?',
    l: 'list<int64>?',
    b: 'list<bool>?',
    j: 'list<json>?',
  })

  it('hold scalars and nulls in order', () => {
    const json = '{"i":[1, 2 ,3],"s":["a",null,"\\u00e9"],"l":[],"b":[true,false,null],"j":[{"x":[1, 2]},"y"]}'
    expect(decodeOne(lists, json)).toEqual([
      [1, 2, 3],
      ['a', null, 'é'],
      [],
      [true, false, null],
      ['{"x":[1, 2]}', '"y"'],
    ])
    expect(decodeOne(lists, '{"i":[],"s":null}')).toEqual([[], null, null, null, null])
  })

  it.each([
    ['{"i":[1,"2",3]}', 'wrongType'],
    ['{"i":[1,[2]]}', 'wrongType'],
    ['{"i":[4294967296]}', 'outOfRange'],
    ['{"i":1}', 'wrongType'],
    ['{"i":[1,"2"}', 'invalidJson'],
    ['{"i":[1,]}', 'invalidJson'],
    ['{"i":[', 'invalidJson'],
    ['{"i":null}', 'missingColumn'],
  ])('make a bad row of %s: %s', (json, reason) => expect(decodeOne(lists, json)[0]).toBe(reason))
})

describe('other columns from JSON', () => {
  it('json holds the text of any value as it stands', () => {
    const fields = fieldsOf({ j: 'json?' })
    for (const raw of ['{ "a" : [1, 2.50] }', '"t\\u0065xt"', '1.50', 'true', '[]']) {
      expect(decodeOne(fields, `{"j": ${raw} }`)).toEqual([raw])
    }
    expect(decodeOne(fields, '{"j":null}')).toEqual([null])
  })

  it('bool is true or false', () => {
    const fields = fieldsOf({ b: 'bool' })
    expect(decodeOne(fields, '{"b":true}')).toEqual([true])
    expect(decodeOne(fields, '{"b":false}')).toEqual([false])
    expect(decodeOne(fields, '{"b":1}')).toEqual(['wrongType', 'b'])
    expect(decodeOne(fields, '{"b":tru}')).toEqual(['invalidJson', ''])
  })

  it('a name with an escape is the same name', () => {
    expect(decodeOne(fieldsOf({ 'a/b': 'int32' }), '{"a\\/b":1}')).toEqual([1])
    expect(decodeOne(fieldsOf({ 'd.ty': 'int32' }), '{"\\u0064":{"t\\u0079":1}}')).toEqual([1])
    expect(decodeOne(fieldsOf({ '\ufffd': 'int32?' }), '{"\\ud800":1}')).toEqual([null])
  })

  it('a dot in a name of the schema is a path, never a part of a name', () => {
    expect(decodeOne(fieldsOf({ 'a.b': 'int32?' }), '{"a.b":1}')).toEqual([null])
    expect(decodeOne(fieldsOf({ 'a.b': 'int32?' }), '{"a.b":1,"a":{"b":2}}')).toEqual([2])
    expect(decodeOne(fieldsOf({ 'a.b': 'int32?' }), '{"a":null}')).toEqual([null])
    expect(decodeOne(fieldsOf({ 'a.b': 'int32?' }), '{"a":"x"}')).toEqual(['wrongType', 'a.b'])
  })
})
