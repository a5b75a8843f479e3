import { DuckDBInstance } from '@duckdb/node-api'

export type SqlRow = Record<string, unknown>

/** The independent reader of what Millrace writes. */
export interface Duck {
  /** Runs a statement; integers of 64 bits come as bigint. */
  query(sql: string): Promise<readonly SqlRow[]>
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
    close() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}
