import { hostname } from 'node:os'
import { asMillraceError, MillraceError } from '../base/errors.ts'
import { mapBounded } from '../base/map-bounded.ts'
import { durationMs } from '../base/units.ts'
import type { FastCopy, FastCopyState } from '../checkpoint/fast-copy.ts'
import { readFastCopy, redisFastCopy } from '../checkpoint/redis/redis-fast-copy.ts'
import type { DriverEvent } from '../microbatch/progress.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import { readView } from '../sinks/redis/read-view.ts'
import { redisViewStore } from '../sinks/redis/redis-view-store.ts'
import type { ViewState } from '../sinks/view/view-state.ts'
import type { RedisConnection } from '../storage/redis-connection.ts'
import type { Config } from './config/config.ts'
import type { ViewSurroundings } from './sinks.ts'
import { systemClock } from './system.ts'

/** What a driver has of Redis. */
export interface RedisParts {
  readonly views: ViewSurroundings
  readonly fastCopy: FastCopy
  /** Takes the lease in the name of this process. */
  begin(epoch: number): Promise<void>
  close(): Promise<void>
}

type Emit = (event: DriverEvent) => void

/**
 * Refuses a pipeline whose views have nowhere to be, before anything runs.
 * @throws INVALID_CONFIG
 */
export const checkViews = (plan: PipelinePlan, { redis }: Config): void => {
  const [view] = plan.branches.flatMap(({ sinks }) => sinks.flatMap(sink => (sink.kind === 'redisView' ? [sink] : [])))
  if (view === undefined || redis.url !== null) return
  throw new MillraceError('INVALID_CONFIG', `the view ${view.name} needs Redis, and redis.url is not set`, {
    remedy: 'Set it, for example with MILLRACE_REDIS_URL=redis://127.0.0.1:6379 or --set redis.url=….',
  })
}

/** Opens Redis for a driver; `null` where none is configured. Redis need not answer. @throws INVALID_CONFIG */
export const composeRedis = async (
  { name: pipeline }: PipelinePlan,
  config: Config,
  emit: Emit,
): Promise<RedisParts | null> => {
  const redis = await openConfiguredRedis(config)
  if (redis === null) return null
  const { keyPrefix: prefix, publishTimeout, leaseTtl } = config.redis
  const warn = (code: string, message: string): void => emit({ kind: 'warning', code, message })
  const leaseTtlMs = durationMs(leaseTtl)
  const fastCopy = redisFastCopy({ redis, prefix, pipeline, clock: systemClock, leaseTtlMs, warn })
  return {
    views: {
      store: redisViewStore(redis, prefix),
      clock: systemClock,
      timeoutMs: durationMs(publishTimeout),
      warn,
    },
    fastCopy,
    begin: async epoch => {
      const since = new Date(systemClock.nowMs()).toISOString()
      const before = await fastCopy.begin({ epoch, host: hostname(), pid: process.pid, since })
      if (before !== null) {
        const { host, pid } = before
        warn(
          'DRIVER_RUNNING',
          `the driver at ${host}, pid ${pid} (epoch ${before.epoch}, since ${before.since}) has not ended; it will stop, as this one has taken over`,
        )
      }
    },
    close: async () => {
      await fastCopy.close()
      await redis.close()
    },
  }
}

/** Opens Redis as configuration says; `null` where none is configured. @throws INVALID_CONFIG */
export const openConfiguredRedis = async ({ redis }: Config): Promise<RedisConnection | null> => {
  if (redis.url === null) return null
  // its client is loaded only where there is one to talk to
  const { openRedis } = await import('../storage/redis/ioredis-connection.ts')
  return openRedis({
    url: redis.url,
    connectTimeoutMs: durationMs(redis.connectTimeout),
    commandTimeoutMs: durationMs(redis.commandTimeout),
  })
}

/** What Redis says of a pipeline and its views: a hint, beside what the checkpoint says. Plain JSON. */
export interface RedisStatus extends FastCopyState {
  readonly location: string
  readonly views: readonly { readonly name: string; readonly state: ViewState | null }[]
  /** Why Redis could not be asked; `null` where it answered. */
  readonly error: string | null
}

/** Asks Redis; `null` where none is configured. One that does not answer is no error. @throws INVALID_CONFIG */
export const askRedis = async (plan: PipelinePlan, config: Config): Promise<RedisStatus | null> => {
  const redis = await openConfiguredRedis(config)
  if (redis === null) return null
  const { location } = redis
  const { keyPrefix } = config.redis
  const names = plan.branches.flatMap(({ sinks }) =>
    sinks.flatMap(sink => (sink.kind === 'redisView' ? sink.name : [])),
  )
  try {
    const copy = await readFastCopy(redis, keyPrefix, plan.name)
    const views = await mapBounded(names, PARALLEL_READS, async name => ({
      name,
      state: await readView(redis, keyPrefix, name),
    }))
    return { location, ...copy, views, error: null }
  } catch (error) {
    return { location, committed: null, driver: null, views: [], error: asMillraceError(error).message }
  } finally {
    await redis.close()
  }
}

const PARALLEL_READS = 8
