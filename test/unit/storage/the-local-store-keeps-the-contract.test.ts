import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLocalObjectStore } from '../../../src/storage/local/local-object-store.ts'
import { objectStoreConformance } from '../../conformance/object-store.ts'

for (const durability of ['process', 'disk'] as const) {
  objectStoreConformance(`local folder, durability ${durability}`, async () => {
    const root = await mkdtemp(join(tmpdir(), 'millrace-store-'))
    const reopen = () => openLocalObjectStore({ root, durability })
    return { store: await reopen(), reopen, close: () => rm(root, { recursive: true }) }
  })
}
