import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ALL_KERNELS } from '../../support/wasm-kernels.ts'
import { decode, decodeOne, FIELDS, fieldsOf, ROW, recordsOf, valuesOf } from './fixtures/json-records.ts'

const PLAY = fieldsOf({
  id: 'int64',
  name: 'string',
  score: 'float64?',
  tags: 'list<string>?',
  ok: 'bool?',
  'device.type': 'string?',
  raw: 'json?',
})

const good = (id: number, extra: object = {}) => JSON.stringify({ id, name: `n${id}`, ...extra })

/** Every reason with a record that has it; columns are filled before the fault comes. */
const FAULTS: readonly (readonly [string | Uint8Array | null, string, string])[] = [
  [null, 'nullValue', ''],
  ['', 'invalidJson', ''],
  ['   ', 'invalidJson', ''],
  ['\ufeff{"id":1,"name":"x"}', 'invalidJson', ''],
  ['{"id":1,"name":"x","tags":["a","b"', 'invalidJson', ''],
  ['{"id":1,"name":"x"}}', 'invalidJson', ''],
  ['{"id":1,"name":"x\ny"}', 'invalidJson', ''],
  ['{"id":1,"name":"x",}', 'invalidJson', ''],
  [`{"id":1,"name":"x","raw":${'['.repeat(512)}${']'.repeat(512)}}`, 'invalidJson', ''],
  ['[1]', 'notAnObject', ''],
  ['"text"', 'notAnObject', ''],
  ['null', 'notAnObject', ''],
  ['{"name":"x","ok":true}', 'missingColumn', 'id'],
  ['{"id":1,"name":null,"raw":{}}', 'missingColumn', 'name'],
  ['{"id":"1","name":"x"}', 'wrongType', 'id'],
  ['{"raw":[1],"id":1,"name":"x","tags":["a",1,"b"]}', 'wrongType', 'tags'],
  ['{"id":1,"name":"x","device":[]}', 'wrongType', 'device.type'],
  ['{"id":9223372036854775808,"name":"x"}', 'outOfRange', 'id'],
  [Uint8Array.from([...Buffer.from('{"id":1,"name":"'), 0xff, ...Buffer.from('"}')]), 'invalidUtf8', ''],
  [`{"id":1,"name":"${'x'.repeat(2000)}"}`, 'tooLarge', ''],
]

describe('a record that is not what the schema says', () => {
  it.each(FAULTS)('%j is %s (%s)', (value, reason, column) => {
    expect(decodeOne(PLAY, value, { ...ROW, maxRecordBytes: 2000 })).toEqual([reason, column])
  })

  it.each(ALL_KERNELS)('%s: leaves the rows around it as they are, and nothing of itself', (_, kernels) => {
    const extra = fc.record(
      {
        score: fc.option(fc.double({ noNaN: true })),
        tags: fc.option(fc.array(fc.constantFrom('a', 'ä', ''), { maxLength: 3 })),
        ok: fc.option(fc.boolean()),
        device: fc.constantFrom(null, {}, { type: 'tv' }),
        raw: fc.constantFrom({ a: 1 }, [1], 'x'),
      },
      { requiredKeys: [] },
    )
    const entry = fc.oneof(extra, fc.constantFrom(...FAULTS))
    fc.assert(
      fc.property(
        fc.array(fc.array(entry, { maxLength: 20 }), { maxLength: 4 }),
        fc.constantFrom(ROW, FIELDS),
        (batches, mode) => {
          const options = { ...mode, maxRecordBytes: 2000 }
          const decoder = kernels().jsonDecoder({ fields: PLAY }, options)
          for (const batch of batches) {
            const values = batch.map((item, id) =>
              Array.isArray(item) ? (item[0] as string) : good(id, item as object),
            )
            const kept = values.flatMap((value, record) => (decodeFails(value, options) ? [] : [record]))
            const alone = decode(
              PLAY,
              kept.map(record => values[record] ?? null),
              options,
            ).rows
            const { rows, bad } = decoder.decode(recordsOf(values))
            expect([...(rows.origin?.recordOf ?? [])]).toEqual(kept)
            expect(rows.length).toBe(kept.length)
            expect(rows.columns.map(valuesOf)).toEqual(alone.columns.map(valuesOf))
            expect(rows.columns.map(column => column.validity)).toEqual(alone.columns.map(column => column.validity))
            expect(bad.map(({ record }) => record)).toEqual(values.flatMap((_, i) => (kept.includes(i) ? [] : [i])))
          }
        },
      ),
    )
  })

  it('is told from one nested just as deep as is allowed', () => {
    const deep = (levels: number) => `{"id":1,"name":"x","raw":${'['.repeat(levels)}${']'.repeat(levels)}}`
    expect(decodeOne(PLAY, deep(512))).toEqual(['invalidJson', ''])
    expect(decodeOne(PLAY, deep(511))[0]).toBe(1n)
    const objects = (levels: number) => `{"id":1,"name":"x","raw":${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}}`
    expect(decodeOne(PLAY, objects(512))).toEqual(['invalidJson', ''])
    expect(decodeOne(PLAY, objects(511))[0]).toBe(1n)
  })
})

const decodeFails = (value: string | Uint8Array | null, options: typeof ROW): boolean =>
  decode(PLAY, [value], options).bad.length > 0

describe('columns handed out', () => {
  it.each(ALL_KERNELS)('%s: stay as they are when the arena is used again', (_, kernels) => {
    const decoder = kernels().jsonDecoder({ fields: PLAY }, ROW)
    const records = recordsOf([good(1, { tags: ['a'], raw: { b: [1] }, device: { type: 'tv' } })])
    const { rows } = decoder.decode(records)
    const before = JSON.stringify(rows.columns.map(valuesOf), (_, value) =>
      typeof value === 'bigint' ? `${value}n` : value,
    )
    records.arena.fill(0)
    const after = JSON.stringify(rows.columns.map(valuesOf), (_, value) =>
      typeof value === 'bigint' ? `${value}n` : value,
    )
    expect(after).toBe(before)
  })

  it('are the same whatever order the names came in before', () => {
    const names = ['id', 'name', 'score', 'ok', 'raw', 'x1', 'x2', 'x3']
    const values: Record<string, unknown> = { id: 1, name: 'n', score: 0.5, ok: true, raw: [1], x1: {}, x2: 'x', x3: 3 }
    const order = fc.shuffledSubarray(names, { minLength: 2 })
    fc.assert(
      fc.property(fc.array(order, { maxLength: 10 }), orders => {
        const texts = orders.map(order => JSON.stringify(Object.fromEntries(order.map(name => [name, values[name]]))))
        const together = decode(PLAY, texts)
        const alone = texts.map(text => decodeOne(PLAY, text))
        const columns = together.rows.columns.map(valuesOf)
        const rows = Array.from({ length: together.rows.length }, (_, row) => columns.map(column => column[row]))
        expect(rows).toEqual(alone.filter(answer => answer[0] === 1n))
      }),
    )
  })

  it('survive more names than are remembered', () => {
    const texts = Array.from({ length: 2000 }, (_, i) => `{"k${i}":${i},"${'y'.repeat(200)}":0,"id":${i},"name":"n"}`)
    const { rows, bad } = decode(PLAY, texts)
    expect(bad).toEqual([])
    expect(valuesOf(rows.columns[0])).toEqual(texts.map((_, i) => BigInt(i)))
  })
})
