import { DuckDBInstance } from '@duckdb/node-api'

export type SqlRow = Record<string, unknown>

/** The independent reader of what Millrace writes. */
export interface Duck {
  /** Runs a statement; integers of 64 bits come as bigint. */
  query(sql: string): Promise<readonly SqlRow[]>
  /** Runs a statement; answers its columns. */
  columns(sql: string): Promise<readonly (readonly unknown[])[]>
  close(): void
}

export const openDuck = async (): Promise<Duck> => {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run("SET TimeZone = 'UTC'")
  return {
    async query(sql) {
      const reader = await connection.runAndReadAll(sql)
      return reader.getRowObjectsJS()
    },
    async columns(sql) {
      const reader = await connection.runAndReadAll(sql)
      return reader.getColumnsJS()
    },
    close() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}
