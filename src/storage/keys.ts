import { MillraceError } from '../base/errors.ts'

/** Longest key: S3 takes 1,024 bytes, and a store's prefix goes before it. */
const MAX_KEY_BYTES = 900
/** Longest part between two slashes: what common file systems take, less room for a temporary name. */
const MAX_PART_BYTES = 200
const CONTROL = /[\u0000-\u001f\u007f\\]/

const bytesOf = (text: string): number => new TextEncoder().encode(text).length

/**
 * Lets a key pass that means the same in every store: relative, parts between single slashes, none of them `.` or `..`,
 * no control characters, no backslash, not too long. @throws STORE_UNSAFE_KEY
 */
export const checkKey = (key: string): string => {
  const parts = key.split('/')
  const unsafe =
    CONTROL.test(key) ||
    bytesOf(key) > MAX_KEY_BYTES ||
    parts.some(part => part === '' || part === '.' || part === '..' || bytesOf(part) > MAX_PART_BYTES)
  if (!unsafe) return key
  throw new MillraceError('STORE_UNSAFE_KEY', `${JSON.stringify(key.slice(0, 200))} can't be the key of an object`, {
    remedy: `Use relative keys such as plays/part-1.parquet, parts of at most ${MAX_PART_BYTES} bytes, ${MAX_KEY_BYTES} in all.`,
  })
}
