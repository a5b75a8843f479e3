import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { utf8Bytes, utf8Text } from '../../../src/base/text.ts'
import type { TableSchema } from '../../../src/columnar/schema.ts'
import { typescriptKernels } from '../../../src/columnar/typescript/index.ts'
import { parquetEncoder } from '../../../src/sinks/parquet/index.ts'
import { partitioner } from '../../../src/sinks/partition-by.ts'
import type { TableEncoderFactory } from '../../../src/sinks/sink.ts'
import { batchOf, schemaOf } from './fixtures/batches.ts'
import { TableOnDisk } from './fixtures/duckdb.ts'

let table: TableOnDisk
let encoder: TableEncoderFactory
beforeAll(async () => {
  table = await TableOnDisk.create()
  encoder = parquetEncoder(typescriptKernels)
})
afterAll(() => table.close())

const LIMITS = { maxOpenPartitions: 64, maxFileBytes: 1e6 }

const folders = (type: string, values: readonly unknown[]): readonly string[] => {
  const schema = schemaOf({ key: `${type}?`, row: 'int32' })
  const batch = batchOf(
    schema,
    values.map((value, row) => [value, row]),
  )
  return partitioner(schema, { kind: 'columns', columns: ['key'] }, typescriptKernels)
    .split(batch)
    .map(slice => slice.partition)
}

describe('rows land in the folder of their values', () => {
  it('names folders after values, URL-encoded, nulls as Hive does', () => {
    expect(folders('string', ['DE', 'a/b c', '', null, 'ü', '%', '..', '='])).toEqual([
      'key=DE',
      'key=a%2Fb%20c',
      'key=',
      'key=__HIVE_DEFAULT_PARTITION__',
      'key=%C3%BC',
      'key=%25',
      'key=..',
      'key=%3D',
    ])
    expect(folders('int64', [9_007_199_254_740_993n, -1n])).toEqual(['key=9007199254740993', 'key=-1'])
    expect(folders('int32', [0, -7])).toEqual(['key=0', 'key=-7'])
    expect(folders('bool', [true, false, null])).toEqual(['key=true', 'key=false', 'key=__HIVE_DEFAULT_PARTITION__'])
    expect(folders('date', [-1, 20_000])).toEqual(['key=1969-12-31', 'key=2024-10-04'])
    expect(folders('timestamp', [-1])).toEqual(['key=1969-12-31T23%3A59%3A59.999Z'])
  })

  it('encodes texts that readers would take for null', () => {
    expect(folders('string', ['NULL', 'null', '__HIVE_DEFAULT_PARTITION__'])).toEqual([
      'key=%4EULL',
      'key=%6Eull',
      'key=%5F_HIVE_DEFAULT_PARTITION__',
    ])
  })

  it('refuses values too long for a folder and types that name none', () => {
    expect(() => folders('string', ['x'.repeat(197)])).toThrow(/too long to name a folder/)
    expect(folders('string', ['x'.repeat(196)])).toHaveLength(1)
    for (const type of ['float64', 'float32', 'bytes', 'json', 'list<int32>']) {
      expect(() => folders(type, [null])).toThrow(/can't name the folders/)
    }
    const by = (schema: TableSchema, column: string) => () =>
      partitioner(schema, { kind: 'columns', columns: [column] }, typescriptKernels)
    expect(by(schemaOf({ 'a/b': 'string', c: 'int32' }), 'a/b')).toThrow(/can't name the folders/)
    expect(by(schemaOf({ a: 'string' }), 'a')).toThrow(/none is left/)
  })

  it('keeps more groups than its table was made for apart', () => {
    const values = Array.from({ length: 5000 }, (_, i) => `v${i % 1000}`)
    expect(folders('string', values)).toEqual(values.slice(0, 1000).map(value => `key=${value}`))
  })

  it('gives every value back to DuckDB, exactly once, and leaves the folders out of the files', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.constantFrom('NULL', 'nUll', '', ' ', 'a=b', 'x/y', '..', '%20', '__HIVE_DEFAULT_PARTITION__'),
    )
    const row = fc.tuple(fc.option(text), fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })))
    const schema = schemaOf({ country: 'string?', device: 'int64?', row: 'int32' })
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 12 }), async keys => {
        const encoding = encoder({
          schema,
          partitionBy: { kind: 'columns', columns: ['country', 'device'] },
          ...LIMITS,
        })
        encoding.write(
          batchOf(
            schema,
            keys.map(([country, device], at) => [country, device, at]),
          ),
        )
        await table.put(encoding.finish())
        const read = await table.rows('select country::varchar, device::varchar, row from TABLE order by row')
        // a lone surrogate can't be told from U+FFFD in UTF-8
        expect(read).toEqual(
          keys.map(([country, device], at) => [
            country === null ? null : utf8Text(utf8Bytes(country)),
            device === null ? null : String(device),
            at,
          ]),
        )
        expect(await table.objects('select distinct name from parquet_schema(FILES) where type is not null')).toEqual([
          { name: 'row' },
        ])
      }),
      { numRuns: 40 },
    )
  })
})
