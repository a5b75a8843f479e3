import fc from 'fast-check'
import { parquetMetadata, parquetReadObjects, readColumnIndex, readOffsetIndex } from 'hyparquet'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ColumnBatch } from '../../../src/columnar/column-batch.ts'
import { typescriptKernels } from '../../../src/columnar/typescript/index.ts'
import { parquetEncoder } from '../../../src/sinks/parquet/index.ts'
import { testedWasmKernels } from '../../support/wasm-kernels.ts'
import { batchOf, schemaOf } from './fixtures/batches.ts'
import { TableOnDisk } from './fixtures/duckdb.ts'

let table: TableOnDisk
beforeAll(async () => {
  table = await TableOnDisk.create()
})
afterAll(() => table.close())

const encode = (batches: readonly ColumnBatch[], kernels = testedWasmKernels()) => {
  const schema = batches[0]?.schema ?? schemaOf({})
  const options = { schema, partitionBy: { kind: 'none' }, maxOpenPartitions: 1, maxFileBytes: 1e9 } as const
  const encoding = parquetEncoder(kernels)(options)
  for (const batch of batches) encoding.write(batch)
  return encoding.finish()
}

const fileOf = (batches: readonly ColumnBatch[]): ArrayBuffer => {
  const [file] = encode(batches)
  if (file === undefined) throw new Error('no file')
  return file.bytes.slice().buffer
}

const indexesOf = (file: ArrayBuffer, column: number) => {
  const metadata = parquetMetadata(file)
  const chunk = metadata.row_groups[0]?.columns[column]
  const element = metadata.schema[column + 1]
  if (chunk === undefined || element === undefined) throw new Error('no such column')
  const readerAt = (at: bigint | undefined) => ({ view: new DataView(file, Number(at)), offset: 0 })
  return {
    column:
      chunk.column_index_offset === undefined ? null : readColumnIndex(readerAt(chunk.column_index_offset), element),
    offset: readOffsetIndex(readerAt(chunk.offset_index_offset)),
    chunk,
  }
}

const rows = <Row>(count: number, rowOf: (row: number) => Row): Row[] =>
  Array.from({ length: count }, (_, at) => rowOf(at))

describe('parquet files say what is in them', () => {
  it('where each page lies and what it holds at least and at most', async () => {
    const schema = schemaOf({ id: 'int32', name: 'string?' })
    const batch = batchOf(
      schema,
      rows(50_000, row => [row, row >= 20_000 && row < 40_000 ? null : `name ${String(row).padStart(6, '0')}`]),
    )
    const file = fileOf([batch])
    const id = indexesOf(file, 0)
    expect(id.column).toMatchObject({
      null_pages: [false, false, false],
      min_values: [0, 20_000, 40_000],
      max_values: [19_999, 39_999, 49_999],
      null_counts: [0n, 0n, 0n],
    })
    expect(id.offset.page_locations.map(({ first_row_index }) => first_row_index)).toEqual([0n, 20_000n, 40_000n])
    const name = indexesOf(file, 1)
    expect(name.column).toMatchObject({
      null_pages: [false, true, false],
      min_values: ['name 000000', '', 'name 040000'],
      max_values: ['name 019999', '', 'name 049999'],
      null_counts: [0n, 20_000n, 0n],
    })
    // pages follow each other, and are all of the chunk
    const { page_locations: pages } = name.offset
    let end = Number(name.chunk.meta_data?.data_page_offset)
    for (const { offset, compressed_page_size } of pages) {
      expect(Number(offset)).toBe(end)
      end += compressed_page_size
    }
    const start = name.chunk.meta_data?.dictionary_page_offset ?? name.chunk.meta_data?.data_page_offset
    expect(end - Number(start)).toBe(Number(name.chunk.meta_data?.total_compressed_size))
    const some = await parquetReadObjects({ file, rowStart: 39_999, rowEnd: 40_001 })
    expect(some).toEqual([
      { id: 39_999, name: null },
      { id: 40_000, name: 'name 040000' },
    ])
  })

  it('of JSON texts only how many are null', async () => {
    const schema = schemaOf({ context: 'json?' })
    const file = fileOf([
      batchOf(
        schema,
        rows(30_000, row => [row % 3 === 0 ? null : `{"row":${row}}`]),
      ),
    ])
    const { column, chunk } = indexesOf(file, 0)
    expect(column).toBeNull()
    expect(chunk.meta_data?.statistics?.null_count).toBe(10_000n)
    expect(chunk.meta_data?.statistics?.min_value).toBeUndefined()
    expect(await parquetReadObjects({ file, rowStart: 29_998, rowEnd: 30_000 })).toEqual([
      { context: '{"row":29998}' },
      { context: '{"row":29999}' },
    ])
  })

  it('and queries that skip by it find the same rows', async () => {
    const schema = schemaOf({ time: 'timestamp', text: 'string?', ratio: 'float64', big: 'int64' })
    const value = fc.record({
      shuffle: fc.integer({ min: 1, max: 997 }),
      long: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 }),
      from: fc.nat(60_000),
    })
    await fc.assert(
      fc.asyncProperty(value, async ({ shuffle, long, from }) => {
        const all = rows(60_000, row => {
          const number = (row * shuffle) % 60_000
          // beyond 64 bytes, where bounds are cut
          return [number, number % 7 === 0 ? null : `${long.repeat(70)}${number}`, number / 8, BigInt(number) << 33n]
        })
        await table.put(encode([batchOf(schema, all)]))
        const expected = all.filter(([time]) => Number(time) >= from && Number(time) < from + 1000).length
        const conditions = [
          `epoch_ms(time) >= ${from} and epoch_ms(time) < ${from + 1000}`,
          `time >= to_timestamp(${from} / 1000.0) and time < to_timestamp(${from + 1000} / 1000.0)`,
          `ratio >= ${from / 8} and ratio < ${(from + 1000) / 8}`,
          `big >= ${BigInt(from) << 33n} and big < ${BigInt(from + 1000) << 33n}`,
        ]
        for (const condition of conditions) {
          expect(await table.rows(`select count(*)::int from TABLE where ${condition}`)).toEqual([[expected]])
        }
        const texts = all.map(([, text]) => text).filter(text => text !== null) as string[]
        const sorted = texts.map(text => Buffer.from(text)).toSorted(Buffer.compare)
        expect(await table.rows('select min(text), max(text) from TABLE')).toEqual([
          [String(sorted[0]), String(sorted.at(-1))],
        ])
        const [some] = texts
        expect(
          await table.rows(`select count(*)::int from TABLE where text = '${some?.replaceAll("'", "''")}'`),
        ).toEqual([[texts.filter(text => text === some).length]])
      }),
      { numRuns: 5 },
    )
  })

  it('but no bounds where a value is not a number, and both zeros where one is zero', async () => {
    const schema = schemaOf({ mixed: 'float64', zero: 'float64', none: 'float32?', negative: 'float32' })
    const batch = batchOf(schema, [
      [1, 0, null, -0],
      [Number.NaN, 5, null, -1],
    ])
    await table.put(encode([batch]))
    const found = await table.objects(
      'select path_in_schema as name, stats_min_value as least, stats_max_value as most, stats_null_count as nulls from parquet_metadata(FILES)',
    )
    expect(found).toEqual([
      { name: 'mixed', least: null, most: null, nulls: '0' },
      { name: 'zero', least: '-0.0', most: '5.0', nulls: '0' },
      { name: 'none', least: null, most: null, nulls: '2' },
      { name: 'negative', least: '-1.0', most: '0.0', nulls: '0' },
    ])
    expect(await table.rows('select count(*)::int from TABLE where mixed > 100')).toEqual([[1]])
    const file = fileOf([batch])
    expect(indexesOf(file, 0).column).toBeNull()
    expect(indexesOf(file, 1).column?.max_values).toEqual([5])
  })

  it('in several row groups where there are many rows', async () => {
    const schema = schemaOf({ id: 'int32' })
    const length = 400_000
    const batches = rows(3, (part): ColumnBatch => {
      const values = Int32Array.from({ length }, (_, row) => part * length + row)
      return {
        schema,
        columns: [{ kind: 'int32', length, validity: null, values }],
        length,
        selection: null,
        origin: null,
      }
    })
    await table.put(encode(batches))
    expect(
      await table.rows(
        'select row_group_id::int, row_group_num_rows::int, stats_min_value from parquet_metadata(FILES)',
      ),
    ).toEqual([
      [0, 1_053_952, '0'],
      [1, 146_048, '1053952'],
    ])
    expect(await table.rows('select count(*)::int, sum(id)::bigint, max(id) from TABLE')).toEqual([
      [1_200_000, 719_999_400_000n, 1_199_999],
    ])
    expect(await table.rows('select id from TABLE where id between 1053951 and 1053952')).toEqual([
      [1_053_951],
      [1_053_952],
    ])
  })

  it.each([
    ['typescript', () => typescriptKernels],
    ['wasm', testedWasmKernels],
  ])('a dictionary that outgrows its limit is given up in the midst of a chunk: %s', async (_, kernels) => {
    const schema = schemaOf({ text: 'string?', row: 'int32' })
    const text = (row: number) => (row < 20_000 ? `text ${row % 10}` : `${'long '.repeat(20)}${row}`)
    const all = rows(60_000, row => [row % 11 === 0 ? null : text(row), row])
    await table.put(encode([batchOf(schema, all)], kernels()))
    const [[encodings, dictionary] = []] = await table.rows(
      "select encodings, dictionary_page_offset is not null from parquet_metadata(FILES) where path_in_schema = 'text'",
    )
    expect(String(encodings)).toContain('PLAIN')
    expect(String(encodings)).toContain('RLE_DICTIONARY')
    expect(dictionary).toBe(true)
    expect(await table.rows('select text, row from TABLE order by row')).toEqual(all)
  })

  it('the same for the same rows: every byte, whoever computes', () => {
    const schema = schemaOf({ id: 'int64', name: 'string?', tags: 'list<string>?', ok: 'bool', ratio: 'float64?' })
    const batches = rows(6, part =>
      batchOf(
        schema,
        rows(5000, at => {
          const row = part * 5000 + at
          const tags = row % 5 === 0 ? null : rows(row % 4, tag => (tag === 2 ? null : `tag ${row % 17}`))
          return [BigInt(row % 300), row % 3 === 0 ? null : `name ${row % 1000}`, tags, row % 2 === 0, row / 3]
        }),
      ),
    )
    const [first, again, twin] = [encode(batches), encode(batches), encode(batches, typescriptKernels)]
    expect(Buffer.from(first[0]?.bytes ?? []).equals(again[0]?.bytes ?? new Uint8Array())).toBe(true)
    expect(Buffer.from(first[0]?.bytes ?? []).equals(twin[0]?.bytes ?? new Uint8Array())).toBe(true)
  })
})
