import { utf8Bytes, utf8Text } from '../base/text.ts'
import { type ColumnBatch, rowCount } from '../columnar/column-batch.ts'
import { rowView } from '../columnar/row-view.ts'
import type { EncodedFile, TableEncoderFactory } from '../sinks/sink.ts'

/**
 * Encodes rows as lines of JSON, each with the record that it came from (`null` for results), so that an auditor can tell
 * every row from every other without knowing the pipeline.
 */
export const lineEncoder: TableEncoderFactory = () => {
  const lines: string[] = []
  return {
    write: rows => void lines.push(...linesOf(rows)),
    finish: (): readonly EncodedFile[] =>
      lines.length === 0 ? [] : [{ partition: '', bytes: utf8Bytes(`${lines.join('\n')}\n`), rows: lines.length }],
  }
}

/** The lines of a file that `lineEncoder` wrote. */
export const linesIn = (file: Uint8Array): readonly string[] => utf8Text(file).split('\n').slice(0, -1)

/** One line for each row that counts: where it came from, then its values in the order of its columns. */
export const linesOf = (batch: ColumnBatch): readonly string[] => {
  const { origin, selection, schema } = batch
  const view = rowView(schema)
  view.bind(batch)
  return Array.from({ length: rowCount(batch) }, (_, at) => {
    const row = selection?.[at] ?? at
    view.moveTo(row)
    const from =
      origin === null
        ? null
        : [origin.records.partition, origin.records.offsets[origin.recordOf[row] as number] as number]
    return JSON.stringify([from, schema.fields.map(({ name }) => plain(view.row[name]))])
  })
}

/** The record that a line came from: partition and offset. */
export const originOf = (line: string): readonly [partition: number, offset: number] | null => {
  const [from] = JSON.parse(line) as [[number, number] | null, unknown]
  return from
}

const plain = (value: unknown): unknown => {
  if (typeof value === 'bigint') return `${value}n`
  return value instanceof Uint8Array ? [...value] : value
}
