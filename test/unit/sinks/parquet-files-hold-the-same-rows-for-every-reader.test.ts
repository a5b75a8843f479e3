import {
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBListValue,
  DuckDBTimestampTZValue,
  type DuckDBValue,
} from '@duckdb/node-api'
import * as fc from 'fast-check'
import { parquetReadObjects } from 'hyparquet'
import { ParquetReader } from 'parquetjs-lite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ScalarType, TableSchema } from '../../../src/columnar/schema.ts'
import type { PartitionBy } from '../../../src/pipeline/plan.ts'
import { parquetEncoder } from '../../../src/sinks/parquet/index.ts'
import type { TableEncoderFactory } from '../../../src/sinks/sink.ts'
import { ALL_KERNELS } from '../../support/wasm-kernels.ts'
import { batchOf, schemaOf } from './fixtures/batches.ts'
import { TableOnDisk } from './fixtures/duckdb.ts'

let table: TableOnDisk
let encoder: TableEncoderFactory
beforeAll(async () => {
  table = await TableOnDisk.create()
})
afterAll(() => table.close())

const LIMITS = { maxOpenPartitions: 4, maxFileBytes: 1e7 }
type Rows = readonly (readonly unknown[])[]

type Batches = readonly { rows: Rows; selection: readonly number[] | null }[]

const encode = (schema: TableSchema, batches: Batches, partitionBy: PartitionBy = { kind: 'none' }) => {
  const encoding = encoder({ schema, partitionBy, ...LIMITS })
  for (const { rows, selection } of batches) encoding.write(batchOf(schema, rows, selection))
  return encoding.finish()
}

const onlyFile = (schema: TableSchema, rows: Rows): Uint8Array => {
  const [file] = encode(schema, [{ rows, selection: null }])
  if (file === undefined) throw new Error('no file')
  return file.bytes
}

/** What DuckDB gives, as the values that went in. */
const plain = (value: DuckDBValue): unknown => {
  if (value instanceof DuckDBListValue) return value.items.map(plain)
  if (value instanceof DuckDBBlobValue) return Uint8Array.from(value.bytes)
  if (value instanceof DuckDBTimestampTZValue) return Number(value.micros / 1000n)
  if (value instanceof DuckDBDateValue) return value.days
  return value
}

/** parquetjs gives bytes as buffers, and nulls also as undefined. */
const unbuffered = (value: unknown) => (value instanceof Buffer ? Uint8Array.from(value) : (value ?? null))

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const VALUES: Readonly<Record<ScalarType, fc.Arbitrary<unknown>>> = {
  bool: fc.boolean(),
  int32: fc.integer(),
  int64: fc.oneof(int64, fc.constantFrom(2n ** 53n + 1n, -(2n ** 63n), 2n ** 63n - 1n)),
  float32: fc.float(),
  float64: fc.double(),
  string: fc.string({ unit: 'grapheme', maxLength: 100 }),
  bytes: fc.uint8Array({ maxLength: 100 }),
  // the years that DuckDB's timestamps and dates can say
  timestamp: fc.integer({ min: -9_000_000_000_000, max: 250_000_000_000_000 }),
  date: fc.integer({ min: -700_000, max: 2_900_000 }),
  json: fc.json(),
}
const TYPES = Object.keys(VALUES) as readonly ScalarType[]

/** Every type, nullable and not, and lists of every type. */
const SCHEMA = schemaOf(
  Object.fromEntries(
    TYPES.flatMap(type => [
      [type, type],
      [`${type}.optional`, `${type}?`],
      [`${type}.list`, `list<${type}>?`],
    ]),
  ),
)
const ROW = fc.tuple(
  ...TYPES.flatMap(type => [
    VALUES[type],
    fc.option(VALUES[type]),
    fc.option(fc.array(fc.option(VALUES[type]), { maxLength: 4 })),
  ]),
)
const BATCH = fc.array(ROW, { maxLength: 20 }).chain(rows =>
  fc.record({
    rows: fc.constant(rows),
    selection: fc.option(fc.subarray(rows.map((_, at) => at))),
  }),
)

describe.each(ALL_KERNELS)('parquet files hold the same rows for every reader: %s', (_, makeKernels) => {
  beforeAll(() => {
    encoder = parquetEncoder(makeKernels())
  })

  it('gives DuckDB texts of any length in their order, whether a page is made of them or of many with others', async () => {
    const schema = schemaOf({ id: 'int32', text: 'string', json: 'json?' })
    const batch = fc.record({
      count: fc.integer({ min: 1, max: 40 }),
      length: fc.constantFrom(3, 2_000, 30_000, 120_000),
      nulls: fc.boolean(),
      isSelected: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 6 }), async parts => {
        let id = 0
        const batches = parts.map(({ count, length, nulls, isSelected }) => {
          const rows = Array.from({ length: count }, (_, at) => {
            const text = `${++id} ${'ü'.repeat((length * ((id * 7) % 10)) / 20)}`
            return [id, text, nulls && at % 3 === 0 ? null : JSON.stringify({ id, text })] as const
          })
          return { rows, selection: isSelected ? [...rows.keys()].filter(at => at % 4 !== 1) : null }
        })
        const expected = batches.flatMap(({ rows, selection }) => (selection ?? [...rows.keys()]).map(row => rows[row]))
        await table.put(encode(schema, batches))
        expect(await table.rows('select * from TABLE order by id')).toEqual(expected)
      }),
      { numRuns: 15 },
    )
  })

  it('gives DuckDB every value of every type, with nulls, lists and selections', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(BATCH, { minLength: 1, maxLength: 4 }), async batches => {
        const expected = batches.flatMap(({ rows, selection }) => (selection ?? [...rows.keys()]).map(row => rows[row]))
        const files = encode(SCHEMA, batches)
        expect(files.map(file => file.rows)).toEqual(expected.length === 0 ? [] : [expected.length])
        if (files.length === 0) return
        await table.put(files)
        expect((await table.rows()).map(row => row.map(plain))).toEqual(expected)
      }),
      { numRuns: 60 },
    )
  })

  it('gives DuckDB the same values where the rows of a batch are spread over folders', async () => {
    const order = ['false', 'true']
    await fc.assert(
      fc.asyncProperty(fc.array(BATCH, { minLength: 1, maxLength: 3 }), async batches => {
        const selected = batches.flatMap(({ rows, selection }) =>
          (selection ?? [...rows.keys()]).map(row => rows[row] ?? []),
        )
        fc.pre(selected.length > 0)
        const expected = selected.toSorted(([a], [b]) => order.indexOf(String(a)) - order.indexOf(String(b)))
        await table.put(encode(SCHEMA, batches, { kind: 'columns', columns: ['bool'] }))
        const read = await table.rows('select bool, * exclude (bool) from TABLE')
        expect(read.map(row => row.map(plain))).toEqual(expected.map(([bool, ...rest]) => [String(bool), ...rest]))
      }),
      { numRuns: 40 },
    )
  })

  it('types columns and nullability exactly', async () => {
    await table.put(encode(SCHEMA, [{ rows: fc.sample(ROW, 1), selection: null }]))
    const described = await table.objects('select column_name, column_type from (describe select * from TABLE)')
    expect(Object.fromEntries(described.map(each => [each.column_name, each.column_type]))).toMatchObject({
      bool: 'BOOLEAN',
      int32: 'INTEGER',
      int64: 'BIGINT',
      float32: 'FLOAT',
      float64: 'DOUBLE',
      string: 'VARCHAR',
      bytes: 'BLOB',
      timestamp: 'TIMESTAMP WITH TIME ZONE',
      date: 'DATE',
      json: 'VARCHAR',
      'int64.list': 'BIGINT[]',
    })
    const parquet = await table.objects(
      "select name, repetition_type, logical_type from parquet_schema(FILES) where name in ('int64', 'int64.optional', 'timestamp')",
    )
    expect(parquet).toMatchObject([
      { name: 'int64', repetition_type: 'REQUIRED' },
      { name: 'int64.optional', repetition_type: 'OPTIONAL' },
      {
        name: 'timestamp',
        repetition_type: 'REQUIRED',
        logical_type: expect.stringMatching(/isAdjustedToUTC=1.*MILLIS/),
      },
    ])
  })

  it('gives parquetjs the same values', async () => {
    const schema = schemaOf({
      id: 'int64',
      big: 'int64?',
      name: 'string?',
      'device.type': 'string?',
      ok: 'bool?',
      ratio: 'float64?',
      small: 'int32?',
      raw: 'bytes?',
    })
    const rows = [
      [1n, 9_007_199_254_740_993n, 'grün ☃ 🎬', 'tv', true, 0.1, -5, Uint8Array.of(0, 255)],
      [2n, null, null, null, null, null, null, null],
      [3n, -(2n ** 63n), '', '', false, -0.5, 2_147_483_647, Uint8Array.of()],
    ]
    const reader = await ParquetReader.openBuffer(Buffer.from(onlyFile(schema, rows)))
    const cursor = reader.getCursor()
    const read: Record<string, unknown>[] = []
    for (let row = await cursor.next(); row !== null; row = await cursor.next()) read.push(row)
    await reader.close()
    const names = schema.fields.map(field => field.name)
    expect(read.map(row => names.map(name => unbuffered(row[name])))).toEqual(rows)
  })

  // parquetjs can't read the statistics of a timestamp, and has no dates and lists of the standard shape
  it('gives hyparquet the same values', async () => {
    const schema = schemaOf({
      time: 'timestamp?',
      day: 'date',
      tags: 'list<string>?',
      ids: 'list<int64>',
      f: 'float32',
    })
    const time = Date.UTC(2026, 0, 15, 9, 59, 59, 999)
    const bytes = onlyFile(schema, [
      [time, 0, ['a', null, ''], [2n ** 62n], 0.5],
      [null, -1, null, [], 3.25],
      [-1, 20_000, [], [null], -0],
    ])
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
    expect(await parquetReadObjects({ file })).toEqual([
      { time: new Date(time), day: new Date(0), tags: ['a', null, ''], ids: [2n ** 62n], f: 0.5 },
      { time: null, day: new Date(-86_400_000), tags: undefined, ids: [], f: 3.25 },
      { time: new Date(-1), day: new Date(Date.UTC(2024, 9, 4)), tags: [], ids: [null], f: -0 },
    ])
  })

  it('writes snappy, statistics, and a dictionary where it pays', async () => {
    const schema = schemaOf({ id: 'string', country: 'string', plays: 'int64?' })
    const rows = Array.from({ length: 5000 }, (_, row) => [
      `id-${row * 7919}`,
      ['DE', 'FR', 'US'][row % 3],
      row % 2 ? null : BigInt(row) * 10n ** 15n,
    ])
    await table.put(encode(schema, [{ rows, selection: null }]))
    const columns = await table.objects(
      `select path_in_schema as name, compression, encodings like '%DICTIONARY%' as dictionary,
        coalesce(stats_min_value, stats_min) as least, coalesce(stats_max_value, stats_max) as most, stats_null_count as nulls
        from parquet_metadata(FILES)`,
    )
    expect(columns).toEqual([
      { name: 'id', compression: 'SNAPPY', dictionary: false, least: 'id-0', most: 'id-9993778', nulls: '0' },
      { name: 'country', compression: 'SNAPPY', dictionary: true, least: 'DE', most: 'US', nulls: '0' },
      {
        name: 'plays',
        compression: 'SNAPPY',
        dictionary: false,
        least: '0',
        most: '4998000000000000000',
        nulls: '2500',
      },
    ])
  })

  it('refuses a null in a required column instead of writing a placeholder', () => {
    const nullable = batchOf(schemaOf({ a: 'int32?' }), [[1], [null]])
    const encoding = encoder({ schema: schemaOf({ a: 'int32' }), partitionBy: { kind: 'none' }, ...LIMITS })
    encoding.write(nullable)
    expect(() => encoding.finish()).toThrow(/required column a holds no null/)
  })
})
