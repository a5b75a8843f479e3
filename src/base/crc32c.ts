/** Castagnoli's polynomial, reflected: what Kafka, iSCSI and S3 mean by CRC-32C. */
const POLYNOMIAL = 0x82f63b78

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte
  for (let bit = 0; bit < 8; bit += 1) rest = (rest & 1) === 1 ? (rest >>> 1) ^ POLYNOMIAL : rest >>> 1
  return rest >>> 0
})

/**
 * CRC-32C of some bytes as eight hexadecimal digits. In plain TypeScript, for checkpoint entries and simulated stores;
 * bulk data is checked natively by the adapters.
 */
export const crc32cHex = (bytes: Uint8Array): string => {
  let crc = 0xffffffff
  for (let at = 0; at < bytes.length; at += 1) {
    crc = (table[(crc ^ (bytes[at] as number)) & 0xff] as number) ^ (crc >>> 8)
  }
  return crcHex((crc ^ 0xffffffff) >>> 0)
}

/** A 32-bit checksum as eight hexadecimal digits. */
export const crcHex = (crc: number): string => (crc >>> 0).toString(16).padStart(8, '0')
