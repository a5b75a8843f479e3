import type { TableSchema } from '../../columnar/schema.ts'
import type { PartitionBy } from '../../pipeline/plan.ts'
import type { FileWriter } from './file-writer.ts'

/** Writers that have finished their files and wait for the next task, for each table of a thread. */
export class SpareWriters {
  readonly #tables = new WeakMap<TableSchema, Map<string, FileWriter[]>>()

  /** Those for files of a table: to take from, and to give back to. */
  of(schema: TableSchema, partitionBy: PartitionBy): FileWriter[] {
    const tables = this.#tables.get(schema) ?? new Map<string, FileWriter[]>()
    this.#tables.set(schema, tables)
    // columns that make folders are not in the files
    const key = JSON.stringify(partitionBy)
    const writers = tables.get(key) ?? []
    tables.set(key, writers)
    return writers
  }
}
