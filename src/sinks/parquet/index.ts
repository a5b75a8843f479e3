import { createRequire } from 'node:module'
import type * as ParquetWasm from 'parquet-wasm'
import { emptyColumn } from '../../columnar/empty-column.ts'
import type { TableSchema } from '../../columnar/schema.ts'
import type { TableEncoderFactory } from '../sink.ts'
import { parquetTableEncoder } from './parquet-encoder.ts'
import { parquetWriter } from './parquet-writer.ts'

const require = createRequire(import.meta.url)

/**
 * The writer: parquet-wasm, about 50 ms and 5 MB of WebAssembly from the package's folder, one instance per thread. Loaded
 * with the first file, so that what never writes Parquet does not wait for it.
 */
const loaded = (): typeof ParquetWasm => require('parquet-wasm') as typeof ParquetWasm

/** Encoders of Parquet files. */
export const parquetEncoder = (): TableEncoderFactory => parquetTableEncoder(loaded)

/** Makes a Parquet file without rows. */
export const emptyParquet = (schema: TableSchema): Uint8Array =>
  parquetWriter(loaded(), schema)(schema.fields.map(emptyColumn))
