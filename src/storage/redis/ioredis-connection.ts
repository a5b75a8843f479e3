import { createHash } from 'node:crypto'
import { Redis } from 'ioredis'
import { MillraceError } from '../../base/errors.ts'
import type { RedisConnection, RedisScript } from '../redis-connection.ts'
import { redisError } from './redis-errors.ts'

/** How Redis is reached. */
export interface RedisSettings {
  /** `redis://[user:password@]host[:port][/db]`, or `rediss://` for TLS. */
  readonly url: string
  readonly connectTimeoutMs: number
  readonly commandTimeoutMs: number
}

/** Waits between attempts to connect grow to this. */
const MAX_RECONNECT_WAIT_MS = 2000
/** Commands sent and not answered; more are refused, so that a silent server costs no memory. */
const MAX_PENDING = 1000

/**
 * A connection that comes back by itself. Commands are not queued while it is away and not repeated by the client: each
 * fails in a bounded time, and whoever called decides. The first connection is awaited, but may fail.
 */
export const openRedis = async (settings: RedisSettings): Promise<RedisConnection> => {
  const connection = new IoredisConnection(settings)
  await connection.begin()
  return connection
}

class IoredisConnection implements RedisConnection {
  readonly location: string
  readonly #client: Redis
  readonly #hashes = new Map<string, string>()
  #pending = 0
  /** What the socket said last; the client's own errors only say that it is not connected. */
  #trouble: Error | null = null

  constructor({ url, connectTimeoutMs, commandTimeoutMs }: RedisSettings) {
    this.location = withoutCredentials(url)
    this.#client = new Redis(url, {
      lazyConnect: true,
      connectTimeout: connectTimeoutMs,
      commandTimeout: commandTimeoutMs,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      retryStrategy: attempt => Math.min(50 * 2 ** Math.min(attempt, 6), MAX_RECONNECT_WAIT_MS),
      // behind a name that follows the primary, a new connection finds the new one
      reconnectOnError: error => error.message.startsWith('READONLY'),
      disableClientInfo: true,
    })
    this.#client.on('error', (error: Error) => (this.#trouble = error))
    this.#client.on('ready', () => (this.#trouble = null))
  }

  async begin(): Promise<void> {
    // one that is not there now is looked for again and again
    await this.#client.connect().catch((error: Error) => (this.#trouble ??= error))
  }

  call(command: string, ...args: readonly (string | number)[]): Promise<unknown> {
    return this.#guarded(command.toLowerCase(), () => this.#client.call(command, ...args))
  }

  evaluate(script: RedisScript, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const rest = [keys.length, ...keys, ...args]
    return this.#guarded(script.name, async () => {
      try {
        return await this.#client.call('EVALSHA', this.#hashOf(script), ...rest)
      } catch (error) {
        if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
        return this.#client.call('EVAL', script.lua, ...rest)
      }
    })
  }

  async close(): Promise<void> {
    this.#client.disconnect()
  }

  #hashOf({ name, lua }: RedisScript): string {
    const hash = this.#hashes.get(name) ?? createHash('sha1').update(lua).digest('hex')
    this.#hashes.set(name, hash)
    return hash
  }

  async #guarded(what: string, run: () => Promise<unknown>): Promise<unknown> {
    if (this.#pending >= MAX_PENDING) throw redisError(what, this.location, new Error(`${MAX_PENDING} commands wait`))
    this.#pending += 1
    try {
      return await run()
    } catch (error) {
      const connected = this.#client.status === 'ready'
      throw redisError(what, this.location, connected ? error : (this.#trouble ?? error))
    } finally {
      this.#pending -= 1
    }
  }
}

/** @throws INVALID_CONFIG where it is no address; the message does not repeat it, as it may hold a password */
const withoutCredentials = (url: string): string => {
  if (URL.canParse(url)) {
    const { protocol, hostname, port, pathname } = new URL(url)
    if (protocol === 'redis:' || protocol === 'rediss:') return `${protocol}//${hostname}:${port || '6379'}${pathname}`
  }
  throw new MillraceError('INVALID_CONFIG', 'redis.url is not the address of a Redis server', {
    remedy: 'Write redis://host:6379, redis://user:password@host:6379/0, or rediss://… for TLS.',
  })
}
