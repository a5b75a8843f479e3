import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { typescriptKernels } from '../../../src/columnar/typescript/index.ts'
import { instantiateKernels } from '../../../src/columnar/wasm/kernels-module.ts'
import { wasmPageEncoder } from '../../../src/columnar/wasm/page-encoder.ts'
import { parquetEncoder } from '../../../src/sinks/parquet/index.ts'
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

const SCHEMA = schemaOf({ key: 'int32', row: 'int32', text: 'string' })
const byKey = { kind: 'columns', columns: ['key'] } as const
const rowsOf = (count: number, keyOf: (row: number) => number, from = 0) =>
  Array.from({ length: count }, (_, at) => [keyOf(from + at), from + at, `text of row ${from + at}`])

describe('open files and memory are bounded', () => {
  it('finishes the largest partition early when too many are open, and loses no row', async () => {
    const encoding = encoder({ schema: SCHEMA, partitionBy: byKey, maxOpenPartitions: 3, maxFileBytes: 1e7 })
    encoding.write(
      batchOf(
        SCHEMA,
        rowsOf(100, row => (row < 90 ? 0 : row % 3)),
      ),
    )
    encoding.write(
      batchOf(
        SCHEMA,
        rowsOf(10, () => 3, 100),
      ),
    )
    encoding.write(
      batchOf(
        SCHEMA,
        rowsOf(10, () => 0, 110),
      ),
    )
    const files = encoding.finish()
    // key 0 made room for key 3; the largest of the rest, key 3, made room for key 0 again
    expect(files.map(file => [file.partition, file.rows])).toEqual([
      ['key=0', 94],
      ['key=0', 10],
      ['key=1', 3],
      ['key=2', 3],
      ['key=3', 10],
    ])
    await table.put(files)
    expect(await table.rows('select row from TABLE order by row')).toEqual(
      Array.from({ length: 120 }, (_, row) => [row]),
    )
  })

  it('cuts files at maxFileBytes, also within one batch, and keeps the order of rows', async () => {
    const maxFileBytes = 300_000
    const encoding = encoder({ schema: SCHEMA, partitionBy: { kind: 'none' }, maxOpenPartitions: 1, maxFileBytes })
    encoding.write(
      batchOf(
        SCHEMA,
        rowsOf(80_000, () => 0),
      ),
    )
    const files = encoding.finish()
    expect(files.length).toBeGreaterThan(4)
    // about 32 bytes a row, looked at every 8192 rows
    expect(Math.max(...files.map(file => file.rows))).toBeLessThanOrEqual(16_384)
    await table.put(files)
    expect(await table.rows('select row, text from TABLE')).toEqual(
      Array.from({ length: 80_000 }, (_, row) => [row, `text of row ${row}`]),
    )
  })

  it('refuses a table that would fall into files without number', () => {
    const encoding = encoder({ schema: SCHEMA, partitionBy: byKey, maxOpenPartitions: 1, maxFileBytes: 1e6 })
    expect(() =>
      encoding.write(
        batchOf(
          SCHEMA,
          rowsOf(10_100, row => row),
        ),
      ),
    ).toThrow(/more than 10000 files/)
  })

  it('gives no file for no rows', () => {
    const encoding = encoder({ schema: SCHEMA, partitionBy: byKey, maxOpenPartitions: 1, maxFileBytes: 1e6 })
    encoding.write(batchOf(SCHEMA, []))
    encoding.write(
      batchOf(
        SCHEMA,
        rowsOf(5, () => 1),
        [],
      ),
    )
    expect(encoding.finish()).toEqual([])
  })

  it('gives the memory of the kernels back with each file', () => {
    const kernels = instantiateKernels(64 * 1024 * 1024)
    const write = parquetEncoder({ ...typescriptKernels, pageEncoder: () => wasmPageEncoder(kernels) })
    const batch = batchOf(
      SCHEMA,
      rowsOf(8192, row => row % 7),
    )
    const firstFreeAfter = (files: number): number => {
      for (let file = 0; file < files; file++) {
        const encoding = write({
          schema: SCHEMA,
          partitionBy: { kind: 'none' },
          maxOpenPartitions: 1,
          maxFileBytes: 1e8,
        })
        for (let i = 0; i < 4; i++) encoding.write(batch)
        encoding.finish()
      }
      const block = kernels.memory.allocate(8 * 1024 * 1024)
      kernels.memory.free(block)
      return block
    }
    // the second time it is the block that was given back, and nothing else has taken its place
    const first = firstFreeAfter(3)
    expect(first).toBeGreaterThan(0)
    expect(firstFreeAfter(60)).toBe(first)
  })
})
