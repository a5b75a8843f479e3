import { Redis } from 'ioredis'

const KINDS = 50
const VIEW = 'millrace:view:{kinds}'

export interface SeenView {
  /** The batch that it says it holds; `null` while it is rebuilt. */
  readonly batch: number | null
  /** Sum over its rows. */
  readonly events: number
  readonly rows: readonly { readonly kind: number; readonly events: number; readonly total: number }[]
}

/** Reads the view with plain commands, all of it at one moment. */
export class ViewReader {
  readonly #redis: Redis

  constructor(port: number) {
    this.#redis = new Redis({
      port,
      host: '127.0.0.1',
      commandTimeout: 1000,
      maxRetriesPerRequest: 0,
      retryStrategy: () => 200,
    })
    this.#redis.on('error', () => undefined)
  }

  /** `null` where Redis is away or the view is on its way from one batch to another. */
  async read(): Promise<SeenView | null> {
    const keys = Array.from({ length: KINDS }, (_, kind) => `${VIEW}:${kind}`)
    try {
      const answers =
        (await this.#redis
          .multi()
          .hmget(VIEW, 'batch', 'status')
          .mget(...keys)
          .exec()) ?? []
      const [batch = null, status = null] = (answers[0]?.[1] ?? []) as (string | null)[]
      if (status !== 'live') return null
      const texts = (answers[1]?.[1] ?? []) as (string | null)[]
      const rows = texts.flatMap(text => (text === null ? [] : [JSON.parse(text) as Record<string, unknown>]))
      const read = rows.map(row => ({
        kind: Number(row['kind']),
        events: Number(row['events']),
        total: Number(row['total']),
      }))
      return {
        batch: batch === null ? null : Number(batch),
        events: read.reduce((sum, { events }) => sum + events, 0),
        rows: read,
      }
    } catch {
      return null
    }
  }

  async flush(): Promise<void> {
    await this.#redis.flushall()
  }

  close(): void {
    this.#redis.disconnect()
  }
}
