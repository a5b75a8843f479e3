import type { BadRecord, DecoderOptions, RecordDecoder } from './kernels.ts'
import { tableSchema } from './schema.ts'

const NO_COLUMNS = tableSchema([])

/** A decoder for rows of which no column is read: every record with a value is a row, and no byte of it is looked at. */
export const countDecoder = ({ maxRecordBytes }: Pick<DecoderOptions, 'maxRecordBytes'>): RecordDecoder => ({
  decode(records) {
    const bad: BadRecord[] = []
    const recordOf = new Int32Array(records.count)
    let length = 0
    for (let record = 0; record < records.count; record++) {
      const bytes = records.valueLength[record] as number
      if (bytes >= 0 && bytes <= maxRecordBytes) recordOf[length++] = record
      else bad.push({ record, reason: bytes < 0 ? 'nullValue' : 'tooLarge', column: '' })
    }
    const origin = { records, recordOf: recordOf.subarray(0, length) }
    return { rows: { schema: NO_COLUMNS, columns: [], length, selection: null, origin }, bad }
  },
})
