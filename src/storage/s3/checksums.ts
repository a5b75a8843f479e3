import { crc32c } from '@node-rs/crc32'
import type { StagedObject } from '../object-store.ts'

const bigEndian = (checksum: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(checksum)
  return bytes
}

/** CRC-32C as S3 writes it. */
export const checksumOf = (bytes: Uint8Array): string => bigEndian(crc32c(bytes)).toString('base64')

/** What S3 tells of an object's checksum: its own, one made of the parts' checksums, and what we wrote beside it. */
export interface ToldChecksums {
  readonly checksum: string | undefined
  readonly noted: string | undefined
}

/**
 * Whether an object has the checksum of what was staged. Stores that know full-object checksums tell that; others put the
 * checksums of the parts together (`…-2`); the rest keep at least what was noted when the upload began.
 */
export const hasChecksum = ({ crc32c: expected, parts = [] }: StagedObject, told: ToldChecksums): boolean => {
  const { checksum, noted } = told
  if (checksum === undefined) return noted === expected
  if (!checksum.includes('-')) return Buffer.from(checksum, 'base64').toString('hex') === expected
  const together = Buffer.concat(parts.map(part => Buffer.from(part.checksum, 'base64')))
  return checksum === `${checksumOf(together)}-${parts.length}`
}
