import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BEFORE_ALL_TIME, epochMs } from '../../../src/base/units.ts'
import type { RedisViewSinkNode } from '../../../src/pipeline/plan.ts'
import { viewRowsOf } from '../../../src/sim/conformance/view-store-promises.ts'
import { lastOfEachKey, viewRowReader, viewRows } from '../../../src/sinks/view/view-rows.ts'
import { keyOf } from '../../../src/sinks/view/view-values.ts'
import { batchOf, schemaOf } from './fixtures/batches.ts'

const SCHEMA = schemaOf({
  name: 'string?',
  at: 'timestamp',
  day: 'date',
  big: 'int64',
  ratio: 'float64?',
  short: 'float32',
  yes: 'bool',
  raw: 'bytes',
  tags: 'list<string>',
  extra: 'json?',
})
const AT = Date.UTC(2026, 0, 15, 10, 0, 0, 5)
const ROW = [
  'Zoë: 1%',
  AT,
  20_468,
  2n ** 62n,
  0.1,
  Math.fround(0.1),
  true,
  new Uint8Array([1, 2]),
  ['a', null],
  '{"x":1}',
]

const node = (options: Partial<RedisViewSinkNode> = {}): RedisViewSinkNode => ({
  kind: 'redisView',
  name: 'v',
  key: ['name'],
  format: 'json',
  ttlMs: null,
  top: null,
  table: null,
  ...options,
})

const rowsIn = (batch: Parameters<typeof viewRowReader>[0]) => {
  const rowAt = viewRowReader(batch)
  return Array.from({ length: batch.length }, (_, at) => ({ ...rowAt(at) }))
}

describe('a row of a view', () => {
  it('is JSON with all digits, times as ISO 8601 and nested JSON as text', () => {
    const [row] = rowsIn(viewRows(node(), [batchOf(SCHEMA, [ROW])], null))
    expect(row?.key).toBe('Zoë%3A%201%25')
    expect(row?.text).toBe(
      '{"name":"Zoë: 1%","at":"2026-01-15T10:00:00.005Z","day":"2026-01-15","big":4611686018427387904,"ratio":0.1,' +
        '"short":0.1,"yes":true,"raw":"AQI=","tags":["a",null],"extra":"{\\"x\\":1}"}',
    )
  })

  it('is fields and values in turn for a hash, without those that are null', () => {
    const nothing = [null, AT, 0, 0n, null, 0, false, new Uint8Array(), [], null]
    const batch = batchOf(SCHEMA, [nothing])
    const [row] = rowsIn(viewRows(node({ format: 'hash', key: ['at', 'name', 'day'] }), [batch], epochMs(7)))
    expect(row).toMatchObject({ key: '2026-01-15T10:00:00.005Z:~:1970-01-01', score: null, expiresAt: 7 })
    expect(JSON.parse(row?.text ?? '')).toEqual(
      ['at', '2026-01-15T10:00:00.005Z', 'day', '1970-01-01', 'big', '0', 'short', '0', 'yes', 'false'].concat(
        'raw',
        '',
        'tags',
        '[]',
      ),
    )
  })

  it('counts once for each key, the last of the batch, and only selected rows count', () => {
    const schema = schemaOf({ id: 'int32', n: 'int64?' })
    const ranked = node({ key: ['id'], top: { by: 'n', n: 2 } })
    const batches = [
      batchOf(schema, [
        [1, 1n],
        [2, 2n],
        [1, 3n],
      ]),
      batchOf(
        schema,
        [
          [2, null],
          [3, 9n],
        ],
        [0],
      ),
    ]
    expect(rowsIn(viewRows(ranked, batches, null)).map(({ key, score }) => [key, score])).toEqual([
      ['1', 3],
      ['2', null],
    ])
  })

  it('has a key of its own for values of its own', () => {
    const parts = fc.array(fc.option(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('~', ':', '%7E', ''))), {
      minLength: 2,
      maxLength: 2,
    })
    const { fields } = schemaOf({ a: 'string?', b: 'string?' })
    const key = ([a, b]: readonly (string | null)[]): string => keyOf(fields, { a, b })
    const wellFormed = (texts: readonly (string | null)[]) => texts.every(text => text === null || text.isWellFormed())
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        fc.pre(wellFormed(one) && wellFormed(other))
        expect(key(one) === key(other)).toBe(JSON.stringify(one) === JSON.stringify(other))
        expect(key(one)).toMatch(/^[^\s]*$/)
      }),
      { numRuns: 500 },
    )
  })

  it('merged with others does what they do one after the other', () => {
    const change = fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 20 })), { maxLength: 8 })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 5 }), fc.integer({ min: 0, max: 20 }), (changes, now) => {
        const expected = new Map<string, string>()
        for (const [at, rows] of changes.entries()) {
          for (const [row, [id, expiresAt]] of rows.entries()) {
            expected.delete(`${id}`)
            if (expiresAt > now) expected.set(`${id}`, `${at} ${row}`)
          }
        }
        const batches = changes.map((rows, at) =>
          viewRowsOf(rows.map(([id, expiresAt], row) => [`${id}`, `${at} ${row}`, null, expiresAt])),
        )
        const merged = rowsIn(lastOfEachKey(batches, epochMs(now)))
        expect(merged.map(({ key, text }) => [key, text])).toEqual([...expected])
        expect(rowsIn(lastOfEachKey(batches, BEFORE_ALL_TIME))).toHaveLength(
          new Set(changes.flat().map(([id]) => id)).size,
        )
      }),
    )
  })
})
