import { MillraceError } from '../../base/errors.ts'
import { utf8Text } from '../../base/text.ts'
import type { RecordBatch } from '../../columnar/record-batch.ts'

/**
 * A record's headers as JSON text: an array of `{"key": …, "value": …}` in their order (keys may repeat), values in
 * base64, `null` for a null value. `null` where the record has no headers.
 *
 * Kafka writes headers as a count and, for each, key length, key, value length, value; all numbers are zigzag varints
 * (https://kafka.apache.org/documentation/#recordheader). @throws CORRUPT_RECORD_BATCH where the bytes are not that
 */
export const headersJson = (records: RecordBatch, record: number): string | null => {
  const start = records.headersStart[record] as number
  const end = start + (records.headersLength[record] as number)
  if (start === end) return null
  if (records.headersEncoding === 'json') return utf8Text(records.arena.subarray(start, end))
  const bytes = varintReader(records.arena, start, end)
  const count = bytes.varint()
  if (count < 0) throw damaged(records, record)
  const headers: { readonly key: string; readonly value: string | null }[] = []
  for (let header = 0; header < count && !bytes.overrun(); header++) {
    const key = text(bytes.take(bytes.varint()))
    const valueLength = bytes.varint()
    headers.push({ key, value: valueLength < 0 ? null : base64(bytes.take(valueLength)) })
  }
  if (bytes.overrun()) throw damaged(records, record)
  return count === 0 ? null : JSON.stringify(headers)
}

const varintReader = (arena: Uint8Array, start: number, end: number) => {
  let at = start
  let broken = false
  return {
    /** Whether more was asked for than there is; what was read since is meaningless. */
    overrun: () => broken,
    varint(): number {
      let value = 0
      for (let shift = 0; shift < 35; shift += 7) {
        const byte = at < end ? (arena[at++] as number) : 0x80
        value |= (byte & 0x7f) << shift
        if (byte < 0x80) return (value >>> 1) ^ -(value & 1)
      }
      broken = true
      return 0
    },
    take(length: number): Uint8Array {
      if (length < 0 || length > end - at) {
        broken = true
        return new Uint8Array(0)
      }
      at += length
      return arena.subarray(at - length, at)
    },
  }
}

// Not fatal: a key that is not UTF-8 must not stop the rows around it.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const text = (bytes: Uint8Array): string => decoder.decode(bytes)
const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')

const damaged = ({ topic, partition, offsets }: RecordBatch, record: number): MillraceError => {
  const offset = offsets[record] as number
  return new MillraceError(
    'CORRUPT_RECORD_BATCH',
    `the headers of ${topic}/${partition} offset ${offset} are damaged`,
    {
      remedy: 'Check the topic with kafka-dump-log; the record may have been written by a faulty client.',
      details: { topic, partition, offset },
    },
  )
}
