/** A zstd frame of so many times the byte 0, in blocks that each repeat it: 4 bytes stand for 128 KiB. */
export const zstdRepeats = (length: number): Buffer => {
  const blocks: Buffer[] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x58])]
  for (let at = 0; at < length; at += 131_072) {
    const size = Math.min(131_072, length - at)
    const header = Buffer.alloc(4)
    header.writeUIntLE((size << 3) | (1 << 1) | (at + size >= length ? 1 : 0), 0, 3)
    blocks.push(header)
  }
  return Buffer.concat(blocks)
}
