import type { Clock } from '../../base/clock.ts'
import { asMillraceError } from '../../base/errors.ts'
import { type DurationMs, durationMs } from '../../base/units.ts'
import type { RedisConnection, RedisScript } from '../../storage/redis-connection.ts'
import type { CommitEntry } from '../entries.ts'
import type { DriverPresence, FastCopy, FastCopyState } from '../fast-copy.ts'

/** What a fast copy in Redis is made with. */
export interface RedisFastCopyOptions {
  readonly redis: RedisConnection
  /** Begins every key. */
  readonly prefix: string
  readonly pipeline: string
  readonly clock: Clock
  /** A lease that is not renewed for so long is over. */
  readonly leaseTtlMs: DurationMs
  readonly warn: (code: string, message: string) => void
}

/** A trouble of one kind is told of once in this time. */
const WARN_EVERY_MS = 60_000

/** Takes or renews the lease, unless a higher epoch holds it. Answers the holder before, or '' for none or oneself. */
const TAKE_LEASE: RedisScript = {
  name: 'take the lease',
  lua: `
local held = redis.call('GET', KEYS[1])
if held == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return ''
end
if held then
  local ok, lease = pcall(cjson.decode, held)
  if ok and type(lease) == 'table' and tonumber(lease.epoch) and tonumber(lease.epoch) > tonumber(ARGV[3]) then return held end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return held or ''
`,
}

const GIVE_LEASE_BACK: RedisScript = {
  name: 'give the lease back',
  lua: "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0",
}

/** Replaces the copy, unless a higher epoch or a later batch of this epoch is there. */
const COPY_COMMIT: RedisScript = {
  name: 'copy the newest commit',
  lua: `
local epoch, batch = unpack(redis.call('HMGET', KEYS[1], 'epoch', 'batch'))
if epoch and tonumber(epoch) > tonumber(ARGV[1]) then return 0 end
if epoch == ARGV[1] and batch and tonumber(batch) > tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'batch', ARGV[2], 'committedAt', ARGV[3], 'offsets', ARGV[4])
return 1
`,
}

const keysOf = (prefix: string, pipeline: string) => ({
  commit: `${prefix}pipeline:{${pipeline}}`,
  lease: `${prefix}lease:{${pipeline}}`,
})

/** The newest commit and the lease of a pipeline in Redis: `millrace:pipeline:{<name>}` and `millrace:lease:{<name>}`. */
export const redisFastCopy = (options: RedisFastCopyOptions): FastCopy => new RedisFastCopy(options)

class RedisFastCopy implements FastCopy {
  readonly #options: RedisFastCopyOptions
  readonly #keys: ReturnType<typeof keysOf>
  readonly #closing = new AbortController()
  readonly #warnedAt = new Map<string, number>()
  #lease: { readonly text: string; readonly epoch: number } | null = null
  #beating: Promise<void> = Promise.resolve()
  #newest: CommitEntry | null = null
  #writing: Promise<void> | null = null

  constructor(options: RedisFastCopyOptions) {
    this.#options = options
    this.#keys = keysOf(options.prefix, options.pipeline)
  }

  async begin(driver: DriverPresence): Promise<DriverPresence | null> {
    this.#lease = { text: JSON.stringify(driver), epoch: driver.epoch }
    const before = await this.#attempt('LEASE_NOT_KEPT', () => this.#takeLease())
    this.#beating = this.#keepLease()
    return typeof before === 'string' ? readPresence(before) : null
  }

  committed(entry: CommitEntry): void {
    this.#newest = entry
    this.#writing ??= this.#writeNewest().finally(() => (this.#writing = null))
  }

  async close(): Promise<void> {
    await this.#writing
    this.#closing.abort()
    await this.#beating
    const lease = this.#lease
    if (lease === null) return
    await this.#attempt('LEASE_NOT_KEPT', () =>
      this.#options.redis.evaluate(GIVE_LEASE_BACK, [this.#keys.lease], [lease.text]),
    )
  }

  #takeLease(): Promise<unknown> {
    const { redis, leaseTtlMs } = this.#options
    const { text = '', epoch = 0 } = this.#lease ?? {}
    return redis.evaluate(TAKE_LEASE, [this.#keys.lease], [text, Math.ceil(leaseTtlMs), epoch])
  }

  async #keepLease(): Promise<void> {
    const { clock, leaseTtlMs } = this.#options
    for (;;) {
      await clock.sleep(durationMs(leaseTtlMs / 3), this.#closing.signal).catch(() => undefined)
      if (this.#closing.signal.aborted) return
      await this.#attempt('LEASE_NOT_KEPT', () => this.#takeLease())
    }
  }

  /** One after the other, each time the newest: a slow Redis costs no memory. What fails is written with the next commit. */
  async #writeNewest(): Promise<void> {
    while (this.#newest !== null) {
      const { epoch, batchId, committedAt, partitions } = this.#newest
      this.#newest = null
      const offsets = JSON.stringify(offsetsOf(partitions))
      const values = [epoch, batchId, new Date(committedAt).toISOString(), offsets]
      await this.#attempt('OFFSETS_NOT_COPIED', () =>
        this.#options.redis.evaluate(COPY_COMMIT, [this.#keys.commit], values),
      )
    }
  }

  async #attempt(code: string, call: () => Promise<unknown>): Promise<unknown> {
    try {
      return await call()
    } catch (error) {
      const now = this.#options.clock.monotonicMs()
      const { message, remedy } = asMillraceError(error)
      if (now - (this.#warnedAt.get(code) ?? -WARN_EVERY_MS) >= WARN_EVERY_MS) {
        this.#warnedAt.set(code, now)
        this.#options.warn(code, `${message}. ${remedy}`)
      }
      return null
    }
  }
}

/** By topic and partition, as Spark writes them. */
const offsetsOf = (partitions: CommitEntry['partitions']) => {
  const byTopic: Record<string, Record<string, number>> = {}
  for (const { topic, partition, offset } of partitions) {
    byTopic[topic] = { ...byTopic[topic], [partition]: offset }
  }
  return byTopic
}

/** Reads what a driver has left in Redis; for `status`. @throws as `RedisConnection` */
export const readFastCopy = async (
  redis: RedisConnection,
  prefix: string,
  pipeline: string,
): Promise<FastCopyState> => {
  const keys = keysOf(prefix, pipeline)
  const [batch, epoch, committedAt] = (await redis.call('HMGET', keys.commit, 'batch', 'epoch', 'committedAt')) as (
    | string
    | null
  )[]
  const lease = (await redis.call('GET', keys.lease)) as string | null
  return {
    committed:
      typeof batch === 'string'
        ? { batchId: Number(batch), epoch: Number(epoch), committedAt: committedAt ?? '' }
        : null,
    driver: lease === null ? null : readPresence(lease),
  }
}

const readPresence = (text: string): DriverPresence | null => {
  try {
    const { epoch, host, pid, since } = JSON.parse(text) as Partial<DriverPresence>
    if (typeof epoch !== 'number' || typeof host !== 'string' || typeof pid !== 'number') return null
    return { epoch, host, pid, since: since ?? '' }
  } catch {
    return null
  }
}
