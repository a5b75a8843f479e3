import { fastCopyPromises } from 'millrace/testing'
import { it } from 'vitest'
import { MemoryFastCopy } from '../../../src/sim/memory-fast-copy.ts'

const promises = fastCopyPromises(() => {
  const copy = new MemoryFastCopy()
  return { openDriver: () => copy.open(), read: async () => copy.read(), close: async () => undefined }
})
for (const { name, run } of promises) it(name, run)
