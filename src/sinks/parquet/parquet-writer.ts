import type * as ParquetWasm from 'parquet-wasm'
import { MillraceError } from '../../base/errors.ts'
import type { Column } from '../../columnar/column.ts'
import type { TableSchema } from '../../columnar/schema.ts'
import { ipcStream, schemaMessage } from './arrow-ipc.ts'
import { dictionaryPays } from './dictionary-choice.ts'

/** Writes columns as a whole Parquet file. Made once for a schema. @throws ENCODING_FAILED */
export type ParquetWriter = (columns: readonly Column[]) => Uint8Array

/**
 * Snappy, statistics for each column chunk, a dictionary where it pays, data pages of version 1: what every reader
 * knows. The module's memory holds one file at a time; what goes in is freed by the calls that consume it.
 */
export const parquetWriter = (wasm: typeof ParquetWasm, schema: TableSchema): ParquetWriter => {
  const message = schemaMessage(schema)
  return columns => {
    try {
      const table = wasm.Table.fromIPCStream(ipcStream(message, schema.fields, columns))
      return wasm.writeParquet(table, writerProperties(wasm, schema, columns))
    } catch (cause) {
      if (cause instanceof MillraceError) throw cause
      throw new MillraceError('ENCODING_FAILED', `a Parquet file could not be encoded: ${String(cause)}`, {
        remedy:
          'Lower maxFileBytes if memory was short; otherwise report this as a defect with the schema of the table.',
        cause,
      })
    }
  }
}

const writerProperties = (
  wasm: typeof ParquetWasm,
  schema: TableSchema,
  columns: readonly Column[],
): ParquetWasm.WriterProperties => {
  let builder = new wasm.WriterPropertiesBuilder()
    .setCompression(wasm.Compression.SNAPPY)
    .setStatisticsEnabled(wasm.EnabledStatistics.Chunk)
    .setWriterVersion(wasm.WriterVersion.V1)
    .setDictionaryEnabled(false)
  for (const [at, field] of schema.fields.entries()) {
    const column = columns[at]
    if (column !== undefined && dictionaryPays(column)) builder = builder.setColumnDictionaryEnabled(field.name, true)
  }
  return builder.build()
}
