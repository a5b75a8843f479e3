import { inject } from 'vitest'
import { redisViewStore } from '../../src/sinks/redis/redis-view-store.ts'
import { viewStoreContract } from '../conformance/view-store.ts'
import { connectRedis, PREFIX, viewContents } from './support/redis.ts'

viewStoreContract(async () => {
  const redis = await connectRedis(inject('redisUrl'))
  return { store: redisViewStore(redis, PREFIX), contents: name => viewContents(redis, name) }
})
