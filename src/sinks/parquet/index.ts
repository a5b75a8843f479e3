import { emptyColumn } from '../../columnar/empty-column.ts'
import type { TableSchema } from '../../columnar/schema.ts'
import type { TableEncoderFactory } from '../sink.ts'
import { parquetTableEncoder } from './parquet-encoder.ts'
import { parquetWriter } from './parquet-writer.ts'

/**
 * Loads the Parquet writer: parquet-wasm, about 40 ms and 5 MB of WebAssembly from the package's folder, one instance
 * per thread. Loaded on demand, so that what never writes Parquet does not wait for it.
 */
export const loadParquetEncoder = async (): Promise<TableEncoderFactory> =>
  parquetTableEncoder(await import('parquet-wasm'))

/** Loads what makes Parquet files without rows. */
export const loadEmptyParquet = async (): Promise<(schema: TableSchema) => Uint8Array> => {
  const wasm = await import('parquet-wasm')
  return schema => parquetWriter(wasm, schema)(schema.fields.map(emptyColumn))
}
