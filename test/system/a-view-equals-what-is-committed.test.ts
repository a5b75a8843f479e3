import { setTimeout as sleep } from 'node:timers/promises'
import { expect, inject, it, onTestFinished } from 'vitest'
import { mapBounded } from '../../src/base/map-bounded.ts'
import { viewKeys } from '../../src/sinks/redis/view-keys.ts'
import type { RedisConnection } from '../../src/storage/redis-connection.ts'
import { openDuck } from '../support/duckdb.ts'
import { pipelineFile, runCli, startCli, temporaryFolder } from './support/cli.ts'
import { loadGenerated } from './support/load-topic.ts'
import { connectRedis, ownRedis, PREFIX, until } from './support/redis.ts'
import { createTopic, uniqueName } from './support/topics.ts'

const PARTITIONS = 4
const ROWS_PER_PARTITION = 6000

/** What a view of this name holds, by key, read with the plainest commands there are. */
const rowsOf = async (redis: RedisConnection, name: string, read: 'HGETALL' | 'GET') => {
  const keys = viewKeys(PREFIX, name)
  const members = (await redis.call('ZRANGE', keys.index, 0, -1)) as readonly string[]
  const rows = await mapBounded(members, 100, async key => [key, await redis.call(read, keys.row(key))] as const)
  return Object.fromEntries(rows.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** The same from the rows that are committed, by DuckDB. */
const answers = async (root: string) => {
  const duck = await openDuck()
  const raw = `read_parquet('${root}/raw/*.parquet')`
  const countries = await duck.query(`
    SELECT country, count(*) AS plays, sum(position_ms)::BIGINT AS watched, max(event_time) AS last
    FROM ${raw} GROUP BY country ORDER BY country`)
  const trending = await duck.query(`
    SELECT epoch_ms(event_time) // 10000 * 10000 AS start, content_id, count(*) AS plays
    FROM ${raw} GROUP BY ALL`)
  const top = await duck.query(`SELECT count(*) AS plays FROM ${raw} GROUP BY country ORDER BY plays DESC LIMIT 5`)
  duck.close()
  const iso = (time: unknown): string => new Date(time as number).toISOString()
  return {
    countries: Object.fromEntries(
      countries.map(({ country, plays, watched, last }) => {
        const sum = watched === null ? [] : ['watched', String(watched)]
        return [country, ['country', country, 'plays', String(plays), ...sum, 'last', iso(last)]]
      }),
    ),
    trending: Object.fromEntries(
      trending
        .map(({ start, content_id, plays }): [string, string] => {
          const [from, to] = [iso(Number(start)), iso(Number(start) + 10_000)]
          const id = String(content_id)
          const row = `{"window_start":"${from}","window_end":"${to}","content_id":${id},"plays":${String(plays)}}`
          return [`${from}:${id}`, row]
        })
        .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    ),
    top: top.map(({ plays }) => String(plays)),
  }
}

const begin = async (url: string) => {
  const topic = await createTopic(PARTITIONS)
  await loadGenerated(topic, { partitions: PARTITIONS, rowsPerPartition: ROWS_PER_PARTITION })
  const root = temporaryFolder()
  const redis = await connectRedis(url)
  const name = uniqueName('views')
  const env = { TOPIC: topic, PIPELINE: name, MILLRACE_REDIS_URL: url }
  const args = ['run', pipelineFile('views'), '--root', root]
  const compare = async () => {
    const expected = await answers(root)
    expect(await rowsOf(redis, `${name}-countries`, 'HGETALL')).toEqual(expected.countries)
    expect(await rowsOf(redis, `${name}-trending`, 'GET')).toEqual(expected.trending)
    const top = await redis.call('ZREVRANGE', viewKeys(PREFIX, `${name}-countries`).top, 0, -1, 'WITHSCORES')
    expect([top].flat(2).filter((_, at) => at % 2 === 1)).toEqual(expected.top)
  }
  const batchOf = async (view: string) =>
    Number((await redis.call('HGET', viewKeys(PREFIX, `${name}-${view}`).meta, 'batch')) ?? -1)
  return { root, redis, name, env, args, compare, batchOf }
}

it('after each batch, also after Redis was flushed, a view holds what DuckDB answers over the committed rows', async () => {
  const { args, env, compare, batchOf, redis, name } = await begin(inject('redisUrl'))
  for (let batch = 0; batch < 6; batch += 1) {
    if (batch === 3) {
      const keys = (await redis.call('KEYS', `*${name}*`)) as readonly string[]
      expect(await redis.call('DEL', ...keys)).toBe(keys.length)
    }
    const { code, stderr } = await runCli([...args, '--batches', '1'], env)
    expect(code, stderr).toBe(0)
    expect(await batchOf('countries')).toBe(batch)
    expect(await batchOf('trending')).toBe(batch)
    await compare()
  }
})

it('a daemon that is killed, and a Redis that is flushed, hangs and is killed meanwhile, end in the same view', async () => {
  const server = await ownRedis()
  const { args, env, compare, redis, name, batchOf } = await begin(server.url)
  const slow = [...args, '--set', 'backpressure.maxRate=6000', '--set', 'redis.commandTimeout=300ms']
  const flushed = startCli(slow, env)
  await until(async () => (await batchOf('countries')) >= 1)
  await redis.call('FLUSHALL')
  const at = Number(await redis.call('HGET', `${PREFIX}pipeline:{${name}}`, 'batch').then(batch => batch ?? 1))
  await until(async () => (await batchOf('countries')) >= at + 1 && (await batchOf('trending')) >= at + 1)
  flushed.process.kill('SIGKILL')
  await flushed.ended
  const hung = startCli(slow, env)
  await hung.printed(/batch/)
  process.kill(server.pid, 'SIGSTOP')
  await sleep(700)
  process.kill(server.pid, 'SIGCONT')
  hung.process.kill('SIGKILL')
  await hung.ended
  await server.kill()
  const away = startCli(slow, env)
  onTestFinished(() => void away.process.kill('SIGKILL'))
  await away.printed(/batch/)
  await server.restart()
  away.process.kill('SIGTERM')
  expect((await away.ended).code).toBe(0)
  const { code, stderr } = await runCli([...args, '--available-now'], env)
  expect(code, stderr).toBe(0)
  await compare()
})
