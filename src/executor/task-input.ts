import { assertNever, present } from '../base/assert.ts'
import { type ColumnBatch, rowCount } from '../columnar/column-batch.ts'
import type { BadRecord, RecordDecoder } from '../columnar/kernels.ts'
import type { ObjectSplit, ObjectSplitReader } from '../ingest/object-split.ts'
import type { SourceReader } from '../ingest/source.ts'
import type { DeadLetterCollector } from '../sinks/dead-letters.ts'
import type { RecordSplit } from './task.ts'

/** The rows of a split on their way to the stages, wherever they come from. Read once. */
export interface TaskInput {
  /** The rows of each range, which are read in this order; objects are one range. */
  readonly ranges: readonly ((signal: AbortSignal) => AsyncIterable<ColumnBatch>)[]
  /** Records read so far, and why some of them are no rows. */
  readonly counts: { readonly read: number; readonly bad: ReadonlyMap<string, number> }
  /** Bytes that the reader has read in its life, as they lie in the source. */
  readonly bytesRead: number
}

/** Records that are decoded here; those that can't be go to the dead letters. */
export const recordInput = (
  { ranges }: RecordSplit,
  reader: SourceReader,
  decoder: RecordDecoder,
  deadLetters: DeadLetterCollector,
): TaskInput => {
  const bad = new Map<string, number>()
  const counts = { read: 0, bad }
  async function* rowsOf(at: number, signal: AbortSignal): AsyncGenerator<ColumnBatch> {
    // all of them at first, so that they can be asked for together; those that found no room then, one by one
    for (const next of at === 0 ? ranges : ranges.slice(at + 1, at + 2)) {
      reader.prefetch({ ...next, offset: next.from }, next.until)
    }
    for await (const records of reader.read(present(ranges[at], 'range'), signal)) {
      const decoded = decoder.decode(records)
      counts.read += records.count
      for (const record of decoded.bad) {
        bad.set(record.reason, (bad.get(record.reason) ?? 0) + 1)
        deadLetters.add(records, record.record, record.reason, record.column, describeBadRecord(record))
      }
      yield decoded.rows
    }
  }
  return {
    counts,
    get bytesRead() {
      return reader.bytesRead
    },
    ranges: ranges.map((_, at) => signal => rowsOf(at, signal)),
  }
}

/** Rows that were decoded when they were landed. */
export const objectInput = (split: ObjectSplit, reader: ObjectSplitReader | null): TaskInput => {
  const counts = { read: 0, bad: new Map<string, number>() }
  const objects = present(reader, 'reader of landed objects')
  async function* rows(signal: AbortSignal): AsyncGenerator<ColumnBatch> {
    for await (const batch of objects.read(split, signal)) {
      counts.read += rowCount(batch)
      yield batch
    }
  }
  return {
    counts,
    get bytesRead() {
      return objects.bytesRead
    },
    ranges: [rows],
  }
}

/** What was wrong with a record, for the reader of the dead-letter table. */
const describeBadRecord = ({ reason, column }: BadRecord): string => {
  switch (reason) {
    case 'nullValue':
      return 'the record has no value'
    case 'tooLarge':
      return 'the value is larger than maxRecordBytes'
    case 'invalidJson':
      return 'the value is not valid JSON'
    case 'notAnObject':
      return 'the value is JSON, but not an object'
    case 'missingColumn':
      return `the required column ${column} is missing or null`
    case 'wrongType':
      return `the value of column ${column} has another type than the schema says`
    case 'outOfRange':
      return `the value of column ${column} does not fit its type`
    case 'invalidUtf8':
      return 'the value is not valid UTF-8'
    default:
      return assertNever(reason)
  }
}
