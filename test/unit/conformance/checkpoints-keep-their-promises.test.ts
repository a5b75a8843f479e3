import { checkpointPromises } from 'millrace/testing'
import { describe, it } from 'vitest'
import { openTestCheckpoint } from '../../support/checkpoints.ts'
import { STORES } from './fixtures/stores.ts'

describe.each(Object.entries(STORES))('%s:', (_, open) => {
  const promises = checkpointPromises(async () => {
    const { reopen, close } = await open()
    let drivers = 0
    return {
      openDriver: async () => {
        const driver = (drivers += 1)
        return openTestCheckpoint(await reopen(), driver)
      },
      close,
    }
  })
  for (const { name, run } of promises) it(name, run)
})
