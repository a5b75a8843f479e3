import { viewStorePromises } from 'millrace/testing'
import { it } from 'vitest'
import { MemoryViews } from '../../../src/sim/memory-views.ts'

const promises = viewStorePromises(() => {
  const store = new MemoryViews()
  return { store, contents: async name => store.contents(name) }
})
for (const { name, run } of promises) it(name, run)
