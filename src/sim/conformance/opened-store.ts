import { crc32cHex } from '../../base/crc32c.ts'
import { utf8Bytes, utf8Text } from '../../base/text.ts'
import type { ObjectInfo, ObjectStore } from '../../storage/object-store.ts'
import { collect, holds } from './promise.ts'

/** A fresh store, and further ways in to the same objects, as another process would have them. */
export interface OpenedStore {
  readonly store: ObjectStore
  readonly reopen: () => Promise<ObjectStore>
  readonly close: () => Promise<void>
}

/** Bytes as text; `null` stays `null`. */
export const textOf = (bytes: Uint8Array | null): string | null => (bytes === null ? null : utf8Text(bytes))

/** Keys that a listing names, in its order. */
export const keysOf = async (store: ObjectStore, prefix: string): Promise<readonly string[]> =>
  (await collect<ObjectInfo>(store.list(prefix))).map(({ key }) => key)

/** Bytes that say what they are: their own checksum goes before them, so that half of them is noticed. */
export const sealed = (text: string, size: number): Uint8Array => {
  const body = utf8Bytes(text.repeat(Math.ceil(size / text.length)).slice(0, size))
  const whole = new Uint8Array(8 + body.length)
  whole.set(utf8Bytes(crc32cHex(body)))
  whole.set(body, 8)
  return whole
}

/** Whether bytes are what `sealed` made. */
export const isSealed = (bytes: Uint8Array | null): boolean =>
  bytes !== null && textOf(bytes.slice(0, 8)) === crc32cHex(bytes.slice(8))

/** The version that a replacement made. */
export const versionIn = (outcome: { readonly version: string } | 'conflict'): string => {
  holds(outcome !== 'conflict', 'the replacement met no conflict')
  return outcome === 'conflict' ? '' : outcome.version
}
