import { crc32cHex } from '../base/crc32c.ts'
import { MillraceError } from '../base/errors.ts'
import type { JsonValue } from '../base/json.ts'
import { utf8Bytes, utf8Text } from '../base/text.ts'

/** The checkpoint format that this version writes, and the newest that it reads. */
export const CHECKPOINT_FORMAT = 1

/** An entry as bytes: one line of JSON with its own checksum, so that half an entry or a changed one is noticed. */
export const encodeEntry = (entry: object): Uint8Array => {
  const body = JSON.stringify(entry)
  return utf8Bytes(`{"format":${CHECKPOINT_FORMAT},"crc32c":"${crc32cHex(utf8Bytes(body))}","entry":${body}}\n`)
}

/** @throws CHECKPOINT_DAMAGED, CHECKPOINT_FORMAT_NEWER */
export const decodeEntry = (key: string, bytes: Uint8Array): Readonly<Record<string, JsonValue>> => {
  const [, format, checksum, body] = ENTRY.exec(textOf(key, bytes)) ?? []
  if (format === undefined || checksum === undefined || body === undefined) throw damaged(key, 'it is not an entry')
  if (Number(format) > CHECKPOINT_FORMAT) {
    throw new MillraceError(
      'CHECKPOINT_FORMAT_NEWER',
      `${key} has format ${format}, this version reads up to ${CHECKPOINT_FORMAT}`,
      {
        remedy: 'Run the version of Millrace that wrote it, or a newer one.',
        details: { key, format: Number(format) },
      },
    )
  }
  if (crc32cHex(utf8Bytes(body)) !== checksum) throw damaged(key, 'its checksum does not fit')
  return JSON.parse(body) as Readonly<Record<string, JsonValue>>
}

const ENTRY = /^\{"format":([1-9]\d{0,8}),"crc32c":"([0-9a-f]{8})","entry":(\{.*\})\}\n$/s

const textOf = (key: string, bytes: Uint8Array): string => {
  try {
    return utf8Text(bytes)
  } catch {
    throw damaged(key, 'it is not text')
  }
}

/** An object of the checkpoint is not what was written. */
export const damaged = (key: string, why: string): MillraceError =>
  new MillraceError('CHECKPOINT_DAMAGED', `the checkpoint object ${key} is damaged: ${why}`, {
    remedy:
      'Restore it from a backup. If there is none, start anew with --new-checkpoint; the tables stay as they are.',
    details: { key },
  })
