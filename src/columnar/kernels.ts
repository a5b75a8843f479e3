import type { ColumnBatch } from './column-batch.ts'
import type { GroupSpec, GroupTable } from './group-table.ts'
import type { PageEncoder } from './page-encoder.ts'
import type { RecordBatch } from './record-batch.ts'
import type { RecordWorkspace } from './record-workspace.ts'
import type { TableSchema } from './schema.ts'

/**
 * The inner loops over bytes and columns, behind one port: `typescript/` is the reference, other
 * implementations must give the same results bit for bit.
 */
export interface Kernels {
  readonly name: string
  /** A decoder of JSON values into the columns of `schema`; made once per task, used for many batches. */
  jsonDecoder(schema: TableSchema, options: DecoderOptions): RecordDecoder
  /** A decoder that puts the whole value into the only column of `schema`, of type `string` (checked UTF-8) or `bytes`. */
  valueDecoder(schema: TableSchema, options: Pick<DecoderOptions, 'maxRecordBytes'>): RecordDecoder
  /** Memory for the records of one reader, with an arena of so many bytes at first. */
  recordWorkspace(arenaBytes: number): RecordWorkspace
  /** An empty table for rows of `input`. */
  groupTable(input: TableSchema, spec: GroupSpec): GroupTable
  /** The loops of one writer of Parquet pages. */
  pageEncoder(): PageEncoder
}

export interface DecoderOptions {
  /**
   * `row`: the whole value must be valid JSON (RFC 8259), also where no column reads it.
   * `fields`: stops as soon as all columns are found; what follows is not looked at.
   */
  readonly validate: 'row' | 'fields'
  /** Values longer than this many bytes are bad rows. */
  readonly maxRecordBytes: number
}

export interface RecordDecoder {
  /**
   * Decodes all records of a batch. Never throws for bad input: a record that can't be decoded is listed in
   * `bad` and leaves no row. The columns may lie in memory of the kernels: they stay valid when the record batch is
   * reused, until these kernels decode the next one. Whoever keeps rows for longer copies them.
   */
  decode(records: RecordBatch): DecodedBatch
}

export interface DecodedBatch {
  /** Good rows in record order, dense (`selection` is null), with their origin. */
  readonly rows: ColumnBatch
  readonly bad: readonly BadRecord[]
}

/** Why a record could not become a row; the reasons of the row ledger. */
export type BadRecordReason =
  | 'nullValue'
  | 'tooLarge'
  | 'invalidJson'
  | 'notAnObject'
  | 'missingColumn'
  | 'wrongType'
  | 'outOfRange'
  | 'invalidUtf8'

export interface BadRecord {
  /** Position in the record batch. */
  readonly record: number
  readonly reason: BadRecordReason
  /** The column in question, or '' where the value as a whole is bad. */
  readonly column: string
}
