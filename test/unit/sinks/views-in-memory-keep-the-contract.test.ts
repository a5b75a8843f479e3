import { viewStoreContract } from '../../conformance/view-store.ts'
import { MemoryViews } from '../../support/memory-views.ts'

viewStoreContract(() => {
  const store = new MemoryViews()
  return { store, contents: async name => store.contents(name) }
})
