import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { SpareBuffers } from '../../../src/sinks/spare-buffers.ts'
import { writeWhole } from '../../../src/storage/local/files.ts'

const MIB = 1_048_576

const folder = mkdtempSync(join(tmpdir(), 'millrace-files-'))
afterAll(() => rmSync(folder, { recursive: true }))

const memories = {
  'memory for files': (bytes: number) => new SpareBuffers().take(bytes),
  // no device takes it from such an address
  'memory at an odd address': (bytes: number) => new Uint8Array(bytes + 1).subarray(1),
}

test.each(Object.entries(memories))('a file of any size is written whole from %s, synced or not', async (_, memory) => {
  const size = fc.oneof(
    fc.integer({ min: 0, max: 3 * MIB }),
    fc.integer({ min: 250, max: 700 }).chain(blocks => fc.constantFrom(-1, 0, 1).map(more => blocks * 4096 + more)),
  )
  let name = 0
  await fc.assert(
    fc.asyncProperty(size, fc.boolean(), fc.nat(255), async (length, sync, seed) => {
      const bytes = memory(length)
      for (let at = 0; at < length; at++) bytes[at] = (at * 31 + (at >> 12) + seed) & 255
      const path = join(folder, String(name++))
      await writeWhole(path, bytes, sync)
      const read = readFileSync(path)
      rmSync(path)
      expect(Buffer.compare(read, Buffer.from(bytes))).toBe(0)
    }),
    { numRuns: 40 },
  )
})

test('a file that is there is not written over', async () => {
  const path = join(folder, 'there')
  await writeWhole(path, new Uint8Array(2 * MIB).fill(1), false)
  await expect(writeWhole(path, new Uint8Array(3 * MIB).fill(2), false)).rejects.toThrow('EEXIST')
  expect(readFileSync(path).equals(Buffer.alloc(2 * MIB, 1))).toBe(true)
})

/** Opens a file for writing past the page cache; `null` where the file system has no such way. */
const openDirectly = (): number | null => {
  try {
    return openSync(join(folder, 'direct'), constants.O_WRONLY | constants.O_CREAT | constants.O_DIRECT)
  } catch {
    return null
  }
}
const direct = openDirectly()
afterAll(() => direct !== null && closeSync(direct))

test.skipIf(direct === null)('memory for files lies where devices can read it directly', () => {
  for (const size of [MIB, 3 * MIB + 5, 40 * MIB]) {
    expect(writeSync(direct as number, new SpareBuffers().take(size), 0, MIB)).toBe(MIB)
  }
})
