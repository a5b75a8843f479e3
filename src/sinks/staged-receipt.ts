import { MillraceError } from '../base/errors.ts'
import type { JsonValue } from '../base/json.ts'
import type { StagedObject } from '../storage/object-store.ts'

/** A table's receipt: what a commit must list so that any process can make it visible. */
export const stagedReceipt = (objects: readonly StagedObject[]): JsonValue => ({
  objects: objects.map(({ key, upload, size, crc32c, parts }) => ({
    key,
    upload,
    size,
    crc32c,
    ...(parts === undefined ? {} : { parts: parts.map(({ etag, checksum }) => ({ etag, checksum })) }),
  })),
})

/** Reads a receipt back from a commit. @throws CHECKPOINT_DAMAGED where it is not one */
export const readStagedReceipt = (receipt: JsonValue, sink: string): readonly StagedObject[] => {
  const objects = member(receipt, 'objects')
  if (!Array.isArray(objects)) throw damaged(sink, 'it lists no objects')
  return objects.map((object: JsonValue) => readStagedObject(object, sink))
}

const readStagedObject = (object: JsonValue, sink: string): StagedObject => {
  const key = member(object, 'key')
  const upload = member(object, 'upload')
  const size = member(object, 'size')
  const crc32c = member(object, 'crc32c')
  if (typeof key !== 'string' || key === '') throw damaged(sink, 'an object has no key')
  if (typeof upload !== 'string') throw damaged(sink, `${key} names no upload`)
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) throw damaged(sink, `${key} has no size`)
  if (typeof crc32c !== 'string' || !/^[0-9a-f]{8}$/.test(crc32c)) throw damaged(sink, `${key} has no checksum`)
  const parts = member(object, 'parts')
  return { key, upload, size, crc32c, ...(parts === undefined ? {} : { parts: readParts(parts, key, sink) }) }
}

const readParts = (parts: JsonValue, key: string, sink: string): NonNullable<StagedObject['parts']> => {
  if (!Array.isArray(parts)) throw damaged(sink, `the parts of ${key} are no list`)
  return parts.map((part: JsonValue) => {
    const etag = member(part, 'etag')
    const checksum = member(part, 'checksum')
    if (typeof etag !== 'string' || typeof checksum !== 'string') throw damaged(sink, `a part of ${key} is incomplete`)
    return { etag, checksum }
  })
}

const member = (value: JsonValue, name: string): JsonValue | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as { readonly [key: string]: JsonValue })[name]
    : undefined

const damaged = (sink: string, what: string): MillraceError =>
  new MillraceError('CHECKPOINT_DAMAGED', `the receipt of ${sink} in a commit can't be read: ${what}`, {
    remedy: 'Restore the checkpoint folder from a backup, or start anew with --new-checkpoint.',
    details: { sink },
  })
