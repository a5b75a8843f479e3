import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ColumnBatch } from '../../../src/columnar/column-batch.ts'
import { tableSchema } from '../../../src/columnar/schema.ts'
import { landStage } from '../../../src/executor/stages/land.ts'
import { headersJson } from '../../../src/executor/stages/record-headers.ts'
import type { LandNode } from '../../../src/pipeline/plan.ts'
import { rowsOf } from './fixtures/json-lines.ts'
import { recordBatch, type TestRecord } from './fixtures/record-source.ts'

const node: LandNode = {
  kind: 'land',
  prefix: '_',
  output: tableSchema([
    { name: '_topic', type: 'string', nullable: false },
    { name: '_partition', type: 'int32', nullable: false },
    { name: '_offset', type: 'int64', nullable: false },
    { name: '_timestamp', type: 'timestamp', nullable: true },
    { name: '_key', type: 'bytes', nullable: true },
    { name: '_headers', type: 'json', nullable: true },
  ]),
}
const land = landStage(node, tableSchema([]))

const anyText = fc.string({ unit: 'binary', maxLength: 12 })
const anyRecord = fc.record({
  key: fc.option(anyText),
  timestamp: fc.option(fc.nat({ max: 2 ** 45 }), { nil: -1 }),
  headers: fc.array(fc.tuple(anyText, fc.option(anyText)), { maxLength: 4 }),
})

const wellFormed = (text: string): string => Buffer.from(text).toString()

test('topic, partition, offset, timestamp, key and headers of each row that counts', () => {
  fc.assert(
    fc.property(
      fc.array(anyRecord, { maxLength: 20 }),
      fc.maxSafeNat(),
      fc.infiniteStream(fc.boolean()),
      (parts, base, keep) => {
        const records: readonly TestRecord[] = parts.map((part, at) => ({
          ...part,
          offset: Math.max(0, base - 100) + 3 * at,
          value: '',
        }))
        const batch = recordBatch('plays', 5, records)
        const recordOf = Int32Array.from(records.keys()).filter(() => keep.next().value === true)
        const selection = Int32Array.from(recordOf.keys()).filter(() => keep.next().value === true)
        const input: ColumnBatch = {
          schema: tableSchema([]),
          columns: [],
          length: recordOf.length,
          selection,
          origin: { records: batch, recordOf },
        }
        const expected = [...selection].map(row => {
          const { offset, key, timestamp, headers } = records[recordOf[row] as number] as Required<TestRecord>
          const json = headers.map(([name, value]) => ({
            key: wellFormed(name),
            value: value === null ? null : Buffer.from(value).toString('base64'),
          }))
          return {
            _topic: 'plays',
            _partition: 5,
            _offset: `${offset}n`,
            _timestamp: timestamp < 0 ? null : timestamp,
            _key: key === null ? null : Buffer.from(key).toString('hex'),
            _headers: json.length === 0 ? null : JSON.stringify(json),
          }
        })
        expect(rowsOf(land(input))).toEqual(expected)
      },
    ),
  )
})

test.each([
  ['a count without headers', [4]],
  ['a key that is longer than the record', [2, 200, 1, 65]],
  ['a value that is longer than the record', [2, 2, 65, 20, 65]],
  ['a number that does not end', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
  ['a negative count', [1]],
])('damaged headers are refused with their offset: %s', (_, bytes) => {
  const batch = recordBatch('plays', 5, [{ offset: 9, value: '' }])
  const damaged = {
    ...batch,
    arena: Uint8Array.from(bytes),
    headersStart: Int32Array.of(0),
    headersLength: Int32Array.of(bytes.length),
  }
  expect(() => headersJson(damaged, 0)).toThrowError(
    expect.objectContaining({ code: 'CORRUPT_RECORD_BATCH', details: { topic: 'plays', partition: 5, offset: 9 } }),
  )
})
