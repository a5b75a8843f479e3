import { assert } from '../../base/assert.ts'
import { BinaryBuilder } from '../binary-builder.ts'
import type { BadRecord, BadRecordReason, DecodedBatch, DecoderOptions, RecordDecoder } from '../kernels.ts'
import type { RecordBatch } from '../record-batch.ts'
import type { TableSchema } from '../schema.ts'
import { skipUtf8 } from './json-syntax.ts'

/** Puts whole values into the one column of a schema, a string (its UTF-8 checked) or bytes. Null values are bad rows. */
export class ValueDecoder implements RecordDecoder {
  private readonly schema: TableSchema
  private readonly maxRecordBytes: number
  private readonly builder: BinaryBuilder
  private readonly isText: boolean

  constructor(schema: TableSchema, options: Pick<DecoderOptions, 'maxRecordBytes'>) {
    const [field, ...others] = schema.fields
    assert(field !== undefined && others.length === 0, 'a whole value goes into one column')
    assert(field.type === 'string' || field.type === 'bytes', 'a whole value is a string or bytes')
    this.schema = schema
    this.maxRecordBytes = options.maxRecordBytes
    this.builder = new BinaryBuilder(field)
    this.isText = field.type === 'string'
  }

  decode(records: RecordBatch): DecodedBatch {
    const { builder, schema } = this
    const { arena, count } = records
    const recordOf = new Int32Array(count)
    const bad: BadRecord[] = []
    for (let record = 0; record < count; record++) {
      const start = records.valueStart[record] as number
      const length = records.valueLength[record] as number
      const reason = this.fault(arena, start, length)
      if (reason === null) {
        recordOf[builder.length] = record
        builder.appendBytes(arena, start, start + length)
      } else {
        bad.push({ record, reason, column: '' })
      }
    }
    const { length } = builder
    const origin = { records, recordOf: recordOf.subarray(0, length) }
    return { rows: { schema, columns: [builder.finish()], length, selection: null, origin }, bad }
  }

  private fault(arena: Uint8Array, start: number, length: number): BadRecordReason | null {
    if (length < 0) return 'nullValue'
    if (length > this.maxRecordBytes) return 'tooLarge'
    return this.isText && !isUtf8(arena, start, start + length) ? 'invalidUtf8' : null
  }
}

const isUtf8 = (bytes: Uint8Array, at: number, end: number): boolean => {
  while (at >= 0 && at < end) at = (bytes[at] as number) < 0x80 ? at + 1 : skipUtf8(bytes, at, end)
  return at >= 0
}
