/**
 * A connection to Redis as the rest of Millrace sees it: commands and scripts that end in a bounded time. Views, the
 * fast copy of offsets and the lease are built on it; nothing that Redis answers is believed before the store agrees.
 *
 * Every call may fail, and may have been carried out when it fails. Errors: REDIS_UNAVAILABLE (no connection, no answer
 * in time), REDIS_REFUSED (it answered that it won't: read-only, out of memory, no permission), REDIS_WRONG_TYPE (a key
 * holds something else than what belongs there).
 */
export interface RedisConnection {
  /** Where Redis is, without credentials: `redis://host:6379/0`. */
  readonly location: string
  /** Runs one command. Bulk answers are strings. */
  call(command: string, ...args: readonly (string | number)[]): Promise<unknown>
  /** Runs a script atomically; it is sent once and known by its hash afterwards. All keys must share one hash tag. */
  evaluate(script: RedisScript, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>
  /** Gives up what is under way and closes. Repeatable. */
  close(): Promise<void>
}

/** A Lua script with a name of its own. */
export interface RedisScript {
  readonly name: string
  readonly lua: string
}
