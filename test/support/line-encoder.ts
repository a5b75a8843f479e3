import { materialize } from '../../src/columnar/row-view.ts'
import type { EncodedFile, TableEncoderFactory } from '../../src/sinks/sink.ts'

/** Encodes rows as lines of JSON in one file: what a test can read back without a Parquet reader. */
export const lineEncoder: TableEncoderFactory = () => {
  const lines: string[] = []
  return {
    write: rows => {
      for (const row of materialize(rows)) lines.push(JSON.stringify(row, asPlain))
    },
    finish: (): readonly EncodedFile[] =>
      lines.length === 0
        ? []
        : [{ partition: '', bytes: new TextEncoder().encode(`${lines.join('\n')}\n`), rows: lines.length }],
  }
}

const asPlain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? Number(value) : value)
