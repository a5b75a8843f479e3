/** Compresses to one LZ4 frame of 64 KiB blocks, greedily and independently of what reads it. */
export const lz4Frame = (bytes: Uint8Array): Buffer => {
  const blocks: Buffer[] = []
  for (let at = 0; at < bytes.length; at += 65_536) {
    const end = Math.min(bytes.length, at + 65_536)
    const block = lz4Block(bytes.subarray(0, end), at)
    const stored = block.length >= end - at
    const content = stored ? Buffer.from(bytes.subarray(at, end)) : block
    const head = Buffer.alloc(4)
    head.writeUInt32LE((content.length | (stored ? 0x8000_0000 : 0)) >>> 0)
    blocks.push(head, content)
  }
  // version 1, linked blocks, 64 KiB; the checksum of the header is looked at by nobody here
  return Buffer.concat([Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x40, 0x40, 0]), ...blocks, Buffer.alloc(4)])
}

/** The block that holds bytes[start, …); matches may refer to what lies before it. */
const lz4Block = (bytes: Uint8Array, start: number): Buffer => {
  const out: number[] = []
  const seen = new Map<number, number>()
  let anchor = start
  const key = (at: number): number =>
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  for (let at = start; at + 12 <= bytes.length; at += 1) {
    const before = seen.get(key(at))
    seen.set(key(at), at)
    if (before === undefined || at - before > 65_535) continue
    let length = 4
    while (at + length < bytes.length - 5 && bytes[before + length] === bytes[at + length]) length += 1
    sequence(out, bytes.subarray(anchor, at), at - before, length)
    anchor = at + length
    at = anchor - 1
  }
  sequence(out, bytes.subarray(anchor), 0, 4)
  return Buffer.from(out)
}

/** A distance of 0 stands for the last sequence, which has no match. */
const sequence = (out: number[], literals: Uint8Array, distance: number, length: number): void => {
  const rest = length - 4
  out.push((Math.min(15, literals.length) << 4) | (distance === 0 ? 0 : Math.min(15, rest)))
  extra(out, literals.length)
  for (const byte of literals) out.push(byte)
  if (distance === 0) return
  out.push(distance & 0xff, distance >> 8)
  extra(out, rest)
}

const extra = (out: number[], count: number): void => {
  if (count < 15) return
  let left = count - 15
  for (; left >= 255; left -= 255) out.push(255)
  out.push(left)
}
