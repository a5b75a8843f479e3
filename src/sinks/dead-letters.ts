import { present } from '../base/assert.ts'
import { type ColumnBuilder, columnBuilder } from '../columnar/column-builder.ts'
import type { RecordBatch } from '../columnar/record-batch.ts'
import { type Field, tableSchema } from '../columnar/schema.ts'
import type { EncodedFile, TableEncoder, TableEncoderFactory } from './sink.ts'

/** At most so many bytes of a value are kept; `value_length` tells the whole length. Kafka's default maximum fits. */
export const MAX_DEAD_VALUE_BYTES = 1_048_576
/** As for values. */
export const MAX_DEAD_KEY_BYTES = 65_536

const required = (name: string, type: Field['type']): Field => ({ name, type, nullable: false })
const optional = (name: string, type: Field['type']): Field => ({ name, type, nullable: true })

/**
 * Columns of the dead-letter table: where a record lies, what it held, and why it is here. The batch is in the
 * files' names.
 */
export const DEAD_LETTER_SCHEMA = tableSchema([
  required('topic', 'string'),
  required('partition', 'int32'),
  required('offset', 'int64'),
  /** The record's own timestamp; null where it has none. */
  optional('timestamp', 'timestamp'),
  /** The first `MAX_DEAD_KEY_BYTES` of the key; null where the record has none. */
  optional('key', 'bytes'),
  /** The first `MAX_DEAD_VALUE_BYTES` of the value; null where the record has none. */
  optional('value', 'bytes'),
  /** Length of the whole value in bytes. */
  optional('value_length', 'int32'),
  /** One of the reasons of the row ledger: `invalidJson`, `missingColumn`, `stageError` … */
  required('reason', 'string'),
  /** The column in question; null where the value as a whole is bad. */
  optional('column', 'string'),
  /** What was wrong, for people. */
  required('error', 'string'),
])

/** Rows and bytes gathered before they go to the encoder. */
const FLUSH_ROWS = 1024
const FLUSH_BYTES = 4 * 1_048_576
const MAX_FILE_BYTES = 64 * 1_048_576

/** Takes the records of one task that could not become rows. */
export interface DeadLetterCollector {
  /**
   * Copies a record out of its batch. Every record is kept, however many there are; only long keys and values are cut.
   * @param record its position in the batch
   * @param column '' where no single column is to blame
   */
  add(records: RecordBatch, record: number, reason: string, column: string, message: string): void
  /** Files of the dead-letter table; none where nothing was added. The collector is done afterwards. */
  finish(): readonly EncodedFile[]
}

/** A collector that costs nothing until the first dead letter. */
export const deadLetterCollector = (encoderFactory: TableEncoderFactory): DeadLetterCollector => {
  let letters: DeadLetters | null = null
  return {
    add(records, record, reason, column, message) {
      letters ??= new DeadLetters(encoderFactory)
      letters.add(records, record, [reason, column === '' ? null : column, message])
    },
    finish: () => letters?.finish() ?? [],
  }
}

class DeadLetters {
  private readonly encoder: TableEncoder
  private readonly builders: readonly ColumnBuilder[] = DEAD_LETTER_SCHEMA.fields.map(field => columnBuilder(field, 16))
  private rows = 0
  private bytes = 0

  constructor(encoderFactory: TableEncoderFactory) {
    this.encoder = encoderFactory({
      schema: DEAD_LETTER_SCHEMA,
      partitionBy: { kind: 'none' },
      maxOpenPartitions: 1,
      maxFileBytes: MAX_FILE_BYTES,
    })
  }

  add(records: RecordBatch, record: number, why: readonly (string | null)[]): void {
    const { arena } = records
    const timestamp = records.timestamps[record] as number
    const valueLength = records.valueLength[record] as number
    const key = bytesOf(arena, records.keyStart[record], records.keyLength[record], MAX_DEAD_KEY_BYTES)
    const value = bytesOf(arena, records.valueStart[record], valueLength, MAX_DEAD_VALUE_BYTES)
    this.append([
      records.topic,
      records.partition,
      records.offsets[record],
      timestamp < 0 ? null : timestamp,
      key,
      value,
      valueLength < 0 ? null : valueLength,
      ...why,
    ])
    this.rows++
    this.bytes += (key?.length ?? 0) + (value?.length ?? 0)
    if (this.rows >= FLUSH_ROWS || this.bytes >= FLUSH_BYTES) this.flush()
  }

  finish(): readonly EncodedFile[] {
    this.flush()
    return this.encoder.finish()
  }

  private append(values: readonly unknown[]): void {
    for (const [at, builder] of this.builders.entries()) builder.append(values[at])
  }

  private flush(): void {
    if (this.rows === 0) return
    const columns = this.builders.map(builder => builder.finish())
    const { length } = present(columns[0], 'column')
    this.encoder.write({ schema: DEAD_LETTER_SCHEMA, columns, length, selection: null, origin: null })
    this.rows = 0
    this.bytes = 0
  }
}

const bytesOf = (
  arena: Uint8Array,
  start: number | undefined,
  length: number | undefined,
  maxBytes: number,
): Uint8Array | null => {
  if (start === undefined || length === undefined || length < 0) return null
  return arena.subarray(start, start + Math.min(length, maxBytes))
}
