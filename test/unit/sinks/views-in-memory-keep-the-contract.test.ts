import { MemoryViews } from '../../../src/sim/memory-views.ts'
import { viewStoreContract } from '../../conformance/view-store.ts'

viewStoreContract(() => {
  const store = new MemoryViews()
  return { store, contents: async name => store.contents(name) }
})
