import { onTestFinished } from 'vitest'
import { type RunningRedis, startRedis } from '../../../scripts/services/redis.mjs'
import type { ViewContents } from '../../../src/sim/memory-views.ts'
import { readView } from '../../../src/sinks/redis/read-view.ts'
import { viewKeys } from '../../../src/sinks/redis/view-keys.ts'
import { openRedis } from '../../../src/storage/redis/ioredis-connection.ts'
import type { RedisConnection } from '../../../src/storage/redis-connection.ts'

export const PREFIX = 'millrace:'

/** A connection that is closed after the test. */
export const connectRedis = async (url: string): Promise<RedisConnection> => {
  const redis = await openRedis({ url, connectTimeoutMs: 2000, commandTimeoutMs: 1000 })
  onTestFinished(() => redis.close())
  return redis
}

/** A server of the test's own, for what other tests must not notice. */
export const ownRedis = async (settings: readonly string[] = []): Promise<RunningRedis> => {
  const redis = await startRedis({ settings })
  onTestFinished(() => redis.stop())
  return redis
}

/** Waits until `look` answers true. */
export const until = async (look: () => Promise<boolean>, ms = 60_000): Promise<void> => {
  const deadline = performance.now() + ms
  while (!(await look().catch(() => false))) {
    if (performance.now() > deadline) throw new Error('it did not come to pass')
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

/** What a reader of a JSON view sees with plain commands. */
export const viewContents = async (redis: RedisConnection, name: string): Promise<ViewContents> => {
  const keys = viewKeys(PREFIX, name)
  const state = await readView(redis, PREFIX, name)
  const members = (await redis.call('ZRANGE', keys.index, 0, -1)) as readonly string[]
  const texts = members.length === 0 ? [] : await redis.call('MGET', ...members.map(keys.row))
  const rows = new Map(members.map((key, at) => [key, (texts as readonly (string | null)[])[at] ?? '(gone)']))
  const top = (await redis.call('ZREVRANGE', keys.top, 0, -1)) as readonly string[]
  return { batch: state?.batch ?? null, rows, top }
}
