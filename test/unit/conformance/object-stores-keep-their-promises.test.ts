import { objectStorePromises } from 'millrace/testing'
import { describe, it } from 'vitest'
import { STORES } from './fixtures/stores.ts'

describe.each(Object.entries(STORES))('%s:', (store, open) => {
  // completing an upload carries no condition, as on S3
  const traits = { publishingReplaces: store === 'simulated bucket' }
  for (const { name, run } of objectStorePromises(open, traits)) it(name, run)
})
