/** Castagnoli's polynomial, reflected: what Kafka, iSCSI and S3 mean by CRC-32C. */
const POLYNOMIAL = 0x82f63b78

/** Row k: what a byte does to the checksum k bytes further on, so that four bytes are taken at a time. */
const tables = new Int32Array(4 * 256)
for (let byte = 0; byte < 256; byte += 1) {
  let rest = byte
  for (let bit = 0; bit < 8; bit += 1) rest = (rest & 1) === 1 ? (rest >>> 1) ^ POLYNOMIAL : rest >>> 1
  tables[byte] = rest
}
for (let at = 256; at < tables.length; at += 1) {
  const before = tables[at - 256] as number
  tables[at] = (tables[before & 0xff] as number) ^ (before >>> 8)
}

/**
 * CRC-32C of some bytes as eight hexadecimal digits. In plain TypeScript, for checkpoint entries and simulated stores;
 * bulk data is checked natively by the adapters.
 */
export const crc32cHex = (bytes: Uint8Array): string => {
  let crc = -1
  let at = 0
  for (; at + 4 <= bytes.length; at += 4) {
    crc =
      (tables[768 + ((crc ^ (bytes[at] as number)) & 0xff)] as number) ^
      (tables[512 + (((crc >>> 8) ^ (bytes[at + 1] as number)) & 0xff)] as number) ^
      (tables[256 + (((crc >>> 16) ^ (bytes[at + 2] as number)) & 0xff)] as number) ^
      (tables[(crc >>> 24) ^ (bytes[at + 3] as number)] as number)
  }
  for (; at < bytes.length; at += 1) crc = (tables[(crc ^ (bytes[at] as number)) & 0xff] as number) ^ (crc >>> 8)
  return crcHex(~crc)
}

/** A 32-bit checksum as eight hexadecimal digits. */
export const crcHex = (crc: number): string => (crc >>> 0).toString(16).padStart(8, '0')
