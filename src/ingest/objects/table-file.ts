import type { ColumnBatch } from '../../columnar/column-batch.ts'
import type { Field, TableSchema } from '../../columnar/schema.ts'
import { folderValue } from './folder-values.ts'
import { ParquetFile, repeated } from './parquet-file.ts'

/** Reads the rows of a file that Millrace wrote: `key` tells the columns that are in folders. */
export type TableFileReader = (bytes: Uint8Array, key: string, schema: TableSchema) => AsyncIterable<ColumnBatch>

/** Loads parquet-wasm. The reader throws a TypeError for a file that does not hold the columns. */
export const loadTableFileReader = async (): Promise<TableFileReader> => {
  const wasm = await import('parquet-wasm')
  return async function* read(bytes, key, schema) {
    const inFolders = schema.fields.filter(({ name }) => key.split('/').some(part => part.startsWith(`${name}=`)))
    const inFile = schema.fields.filter(field => !inFolders.includes(field))
    const file = new ParquetFile(wasm, bytes)
    for await (const { length, columns } of file.read(file.rowGroups(null), inFile)) {
      const columnOf = (field: Field) =>
        inFolders.includes(field)
          ? repeated(field, folderValue(key, field), length)
          : (columns[inFile.indexOf(field)] ?? repeated(field, null, length))
      yield { schema, columns: schema.fields.map(columnOf), length, selection: null, origin: null }
    }
  }
}
