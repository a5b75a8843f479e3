import type { RedisConnection } from '../../storage/redis-connection.ts'
import { readViewState, type ViewState } from '../view/view-state.ts'
import { viewKeys } from './view-keys.ts'

/** What a view says of itself; `null` where there is none of that name. @throws as `RedisConnection` */
export const readView = async (redis: RedisConnection, prefix: string, name: string): Promise<ViewState | null> =>
  readViewState(await hashOf(redis, viewKeys(prefix, name).meta))

const hashOf = async (redis: RedisConnection, key: string): Promise<Readonly<Record<string, string>>> => {
  const flat = (await redis.call('HGETALL', key)) as readonly string[] | Readonly<Record<string, string>>
  if (!Array.isArray(flat)) return flat as Readonly<Record<string, string>>
  const names = flat.filter((_, at) => at % 2 === 0)
  return Object.fromEntries(names.map((name, at) => [name, flat[2 * at + 1] as string]))
}
