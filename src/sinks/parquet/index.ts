import type { TableEncoderFactory } from '../sink.ts'
import { parquetTableEncoder } from './parquet-encoder.ts'

/**
 * Loads the Parquet writer: parquet-wasm, about 40 ms and 5 MB of WebAssembly from the package's folder, one instance
 * per thread. Loaded on demand, so that what never writes Parquet does not wait for it.
 */
export const loadParquetEncoder = async (): Promise<TableEncoderFactory> =>
  parquetTableEncoder(await import('parquet-wasm'))
