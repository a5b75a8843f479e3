import { MillraceError } from '../base/errors.ts'
import { utf8Bytes } from '../base/text.ts'

/** Longest key: S3 takes 1,024 bytes, and a store's prefix goes before it. */
const MAX_KEY_BYTES = 900
/** Longest part between two slashes: what common file systems take, less room for a temporary name. */
const MAX_PART_BYTES = 200
/** Where a store keeps what nobody shall see yet; no key lies there. */
export const STAGING_FOLDER = '.millrace-staging'
/** Control characters, the backslash, and halves of characters, which have no bytes of their own in UTF-8. */
const UNSAFE = /[\u0000-\u001f\u007f\\\p{Cs}]/u

const isWithin = (text: string, bytes: number): boolean =>
  // a character takes three bytes at most for each of its code units
  text.length * 3 <= bytes || (text.length <= bytes && utf8Bytes(text).length <= bytes)

/**
 * Lets a key pass that means the same in every store: relative, parts between single slashes, none of them `.` or `..`,
 * no control characters, no backslash, no half characters, not too long, not in the folder for staging.
 * @throws STORE_UNSAFE_KEY
 */
export const checkKey = (key: string): string => {
  if (!isSafeKey(key)) throw unsafeKey(key, 'be the key of an object')
  return key
}

/** Lets a prefix pass that a safe key may begin with; its last part may be empty or half a name. @throws STORE_UNSAFE_KEY */
export const checkPrefix = (prefix: string): string => {
  const slash = prefix.lastIndexOf('/')
  const folder = prefix.slice(0, Math.max(0, slash))
  if (UNSAFE.test(prefix) || (slash >= 0 && !isSafeKey(folder))) throw unsafeKey(prefix, 'begin the key of an object')
  return prefix
}

/** Whether `checkKey` lets a key pass. */
export const isSafeKey = (key: string): boolean => {
  const parts = key.split('/')
  return (
    !UNSAFE.test(key) &&
    isWithin(key, MAX_KEY_BYTES) &&
    parts[0] !== STAGING_FOLDER &&
    parts.every(part => part !== '' && part !== '.' && part !== '..' && isWithin(part, MAX_PART_BYTES))
  )
}

const unsafeKey = (key: string, what: string): MillraceError =>
  new MillraceError('STORE_UNSAFE_KEY', `${JSON.stringify(key.slice(0, 200))} can't ${what}`, {
    remedy: `Use relative keys such as plays/part-1.parquet, parts of at most ${MAX_PART_BYTES} bytes, ${MAX_KEY_BYTES} in all.`,
  })
