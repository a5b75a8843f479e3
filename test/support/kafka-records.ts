import { crc32c } from '@node-rs/crc32'

export interface WrittenRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
}

const varint = (value: number): Buffer => {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value) < 0n ? (BigInt(value) << 1n) ^ -1n : BigInt(value) << 1n)
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  return Buffer.from([...bytes, Number(rest)])
}

const field = (bytes: Buffer | null): Buffer =>
  bytes === null ? varint(-1) : Buffer.concat([varint(bytes.length), bytes])

const recordBytes = ({ key, value }: WrittenRecord, at: number): Buffer => {
  const body = Buffer.concat([Buffer.from([0]), varint(at * 10), varint(at), field(key), field(value), varint(0)])
  return Buffer.concat([varint(body.length), body])
}

export interface BatchOptions {
  readonly baseOffset: number
  /** Number of the codec, and what it does to the records. */
  readonly codec?: number
  readonly compress?: (records: Buffer) => Buffer
}

/** A Kafka record batch (message format 2), written independently of what reads it. */
export const writeBatch = (records: readonly WrittenRecord[], options: BatchOptions): Buffer => {
  const { baseOffset, codec = 0, compress = bytes => bytes } = options
  const body = compress(Buffer.concat(records.map(recordBytes)))
  const covered = Buffer.alloc(40)
  covered.writeInt16BE(codec, 0)
  covered.writeInt32BE(records.length - 1, 2)
  covered.writeBigInt64BE(1_700_000_000_000n, 6)
  covered.writeBigInt64BE(BigInt(1_700_000_000_000 + 10 * (records.length - 1)), 14)
  covered.writeBigInt64BE(-1n, 22)
  covered.writeInt16BE(-1, 30)
  covered.writeInt32BE(-1, 32)
  covered.writeInt32BE(records.length, 36)
  const checked = Buffer.concat([covered, body])
  const head = Buffer.alloc(21)
  head.writeBigInt64BE(BigInt(baseOffset), 0)
  head.writeInt32BE(9 + checked.length, 8)
  head.writeInt32BE(3, 12)
  head.writeInt8(2, 16)
  head.writeUInt32BE(crc32c(checked), 17)
  return Buffer.concat([head, checked])
}
