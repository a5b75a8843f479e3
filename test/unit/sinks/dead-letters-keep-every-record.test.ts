import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RecordBatch } from '../../../src/columnar/record-batch.ts'
import { typescriptKernels } from '../../../src/columnar/typescript/index.ts'
import { deadLetterCollector, MAX_DEAD_KEY_BYTES, MAX_DEAD_VALUE_BYTES } from '../../../src/sinks/dead-letters.ts'
import { parquetEncoder } from '../../../src/sinks/parquet/index.ts'
import type { TableEncoderFactory } from '../../../src/sinks/sink.ts'
import { TableOnDisk } from './fixtures/duckdb.ts'

let table: TableOnDisk
let encoder: TableEncoderFactory
beforeAll(async () => {
  table = await TableOnDisk.create()
  encoder = parquetEncoder(typescriptKernels)
})
afterAll(() => table.close())

interface TestRecord {
  readonly offset: number
  readonly timestamp?: number
  readonly key?: string
  readonly value?: string
}

const recordBatch = (records: readonly TestRecord[]): RecordBatch => {
  const texts = records.flatMap(({ key, value }) => [key ?? '', value ?? ''])
  const starts: number[] = []
  let end = 0
  for (const text of texts) {
    starts.push(end)
    end += Buffer.byteLength(text)
  }
  const lengths = (pick: (record: TestRecord) => string | undefined) =>
    Int32Array.from(records, record => {
      const text = pick(record)
      return text === undefined ? -1 : Buffer.byteLength(text)
    })
  return {
    topic: 'plays',
    partition: 3,
    count: records.length,
    arena: new Uint8Array(Buffer.from(texts.join(''))),
    offsets: Float64Array.from(records, record => record.offset),
    timestamps: Float64Array.from(records, record => record.timestamp ?? -1),
    keyStart: Int32Array.from(records, (_, at) => starts[2 * at] ?? 0),
    keyLength: lengths(record => record.key),
    valueStart: Int32Array.from(records, (_, at) => starts[2 * at + 1] ?? 0),
    valueLength: lengths(record => record.value),
    headersStart: new Int32Array(records.length),
    headersLength: new Int32Array(records.length),
  }
}

describe('dead letters keep every record', () => {
  it('tells where a record lies, what it held and why it is here', async () => {
    const letters = deadLetterCollector(encoder)
    const records = recordBatch([
      { offset: 2 ** 53 - 1, timestamp: 1_768_471_200_000, key: 'k', value: '{"a":' },
      { offset: 8 },
      { offset: 9, key: '', value: '' },
    ])
    letters.add(records, 0, 'invalidJson', '', 'the value is not valid JSON')
    letters.add(records, 1, 'nullValue', '', 'the record has no value')
    letters.add(records, 2, 'wrongType', 'user_id', 'expected int64')
    records.arena.fill(0) // the reader uses its memory again
    const files = letters.finish()
    expect(files.map(file => [file.partition, file.rows])).toEqual([['', 3]])
    await table.put(files)
    expect(await table.objects('select * from TABLE')).toEqual([
      {
        topic: 'plays',
        partition: 3,
        offset: '9007199254740991',
        timestamp: '2026-01-15 10:00:00+00',
        key: 'k',
        value: '{\\x22a\\x22:',
        value_length: 5,
        reason: 'invalidJson',
        column: null,
        error: 'the value is not valid JSON',
      },
      expect.objectContaining({ offset: '8', timestamp: null, key: null, value: null, value_length: null }),
      expect.objectContaining({
        offset: '9',
        key: '',
        value: '',
        value_length: 0,
        column: 'user_id',
        reason: 'wrongType',
      }),
    ])
  })

  it('cuts long keys and values, and says how long the value was', async () => {
    const letters = deadLetterCollector(encoder)
    const length = MAX_DEAD_VALUE_BYTES + 5
    letters.add(
      recordBatch([{ offset: 1, key: 'k'.repeat(100_000), value: 'x'.repeat(length) }]),
      0,
      'tooLarge',
      '',
      'too large',
    )
    await table.put(letters.finish())
    expect(await table.rows('select octet_length(key), octet_length(value), value_length from TABLE')).toEqual([
      [BigInt(MAX_DEAD_KEY_BYTES), BigInt(MAX_DEAD_VALUE_BYTES), length],
    ])
  })

  it('caps bytes, never the count', async () => {
    const letters = deadLetterCollector(encoder)
    const records = recordBatch(Array.from({ length: 500 }, (_, offset) => ({ offset, value: `bad ${offset}` })))
    for (let round = 0; round < 10; round++) {
      for (let record = 0; record < 500; record++) letters.add(records, record, 'invalidJson', '', 'bad')
    }
    await table.put(letters.finish())
    expect(await table.rows('select count(*), count(distinct "offset"), sum("offset")::bigint from TABLE')).toEqual([
      [5000n, 500n, 1_247_500n],
    ])
  })

  it('makes no encoder and no file where every record was good', () => {
    expect(deadLetterCollector(() => expect.unreachable()).finish()).toEqual([])
  })
})
