import { MillraceError } from '../../base/errors.ts'
import { mapBounded } from '../../base/map-bounded.ts'
import type { RedisConnection } from '../../storage/redis-connection.ts'
import { readViewState, type ViewState } from '../view/view-state.ts'
import { viewKeys } from './view-keys.ts'

/** Keys that one step of a scan looks at, and rows that are asked for at once. */
const PAGE = 1000
const PARALLEL_HASHES = 100
/** Keys that a scan looks at before it is given up: such a view must be asked by key. */
const MAX_SCANNED = 1_000_000

/** What a view says of itself; `null` where there is none of that name. @throws as `RedisConnection` */
export const readView = async (redis: RedisConnection, prefix: string, name: string): Promise<ViewState | null> =>
  readViewState(await hashOf(redis, viewKeys(prefix, name).meta))

const hashOf = async (redis: RedisConnection, key: string): Promise<Readonly<Record<string, string>>> => {
  const flat = (await redis.call('HGETALL', key)) as readonly string[]
  const names = flat.filter((_, at) => at % 2 === 0)
  return Object.fromEntries(names.map((name, at) => [name, flat[2 * at + 1] as string]))
}

/** The keys of a view that match, in no order. @throws INVALID_USAGE where there are more than `limit` */
export const findViewKeys = async (
  redis: RedisConnection,
  prefix: string,
  name: string,
  matches: (key: string) => boolean,
  limit: number,
): Promise<readonly string[]> => {
  const { index } = viewKeys(prefix, name)
  // a scan may show a key twice, and shows every key that is there all the time
  const found = new Set<string>()
  let cursor = '0'
  for (let scanned = 0; scanned < MAX_SCANNED; scanned += PAGE) {
    const [next, page] = (await redis.call('ZSCAN', index, cursor, 'COUNT', PAGE)) as [string, readonly unknown[]]
    for (const key of membersOf(page)) if (matches(key)) found.add(key)
    if (found.size > limit) throw tooMany(name, `more than ${limit} rows`)
    if (next === '0') return [...found]
    cursor = next
  }
  throw tooMany(name, `more than ${MAX_SCANNED} keys`)
}

/** Members of a scanned sorted set, whichever protocol told them: in pairs, or with their scores in turn. */
const membersOf = (page: readonly unknown[]): readonly string[] =>
  Array.isArray(page[0])
    ? page.map(pair => String((pair as readonly unknown[])[0]))
    : page.flatMap((member, at) => (at % 2 === 0 ? [String(member)] : []))

const tooMany = (name: string, what: string): MillraceError =>
  new MillraceError('INVALID_USAGE', `the view ${name} has ${what} to answer with`, {
    remedy: 'Ask by key, for less time, or for the top.',
  })

/** Rows of a JSON view by key; `null` where one is not there any more. */
export const readViewTexts = async (
  redis: RedisConnection,
  prefix: string,
  name: string,
  keys: readonly string[],
): Promise<readonly (string | null)[]> => {
  const { row } = viewKeys(prefix, name)
  const texts: (string | null)[] = []
  for (let from = 0; from < keys.length; from += PAGE) {
    const page = keys.slice(from, from + PAGE).map(row)
    texts.push(...((await redis.call('MGET', ...page)) as readonly (string | null)[]))
  }
  return texts
}

/** Rows of a hash view by key; empty where one is not there any more. */
export const readViewHashes = (
  redis: RedisConnection,
  prefix: string,
  name: string,
  keys: readonly string[],
): Promise<readonly Readonly<Record<string, string>>[]> =>
  mapBounded(keys, PARALLEL_HASHES, key => hashOf(redis, viewKeys(prefix, name).row(key)))
