import { memoryObjectStore } from '../../../src/storage/memory/memory-object-store.ts'
import { objectStoreConformance } from '../../conformance/object-store.ts'

objectStoreConformance('memory', async () => {
  const store = memoryObjectStore()
  return { store, reopen: async () => store, close: async () => undefined }
})
