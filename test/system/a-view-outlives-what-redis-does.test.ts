import { describe, expect, it, onTestFinished } from 'vitest'
import type { JsonValue } from '../../src/base/json.ts'
import { batchId, driverEpoch, durationMs } from '../../src/base/units.ts'
import type { RedisViewSinkNode } from '../../src/pipeline/plan.ts'
import { redisViewStore } from '../../src/sinks/redis/redis-view-store.ts'
import { viewKeys } from '../../src/sinks/redis/view-keys.ts'
import { viewSink } from '../../src/sinks/view/view-sink.ts'
import { memoryObjectStore } from '../../src/storage/memory/memory-object-store.ts'
import { systemClock, systemRandom } from '../../src/wiring/system.ts'
import { batchOf, schemaOf } from '../unit/sinks/fixtures/batches.ts'
import { connectRedis, ownRedis, PREFIX, until, viewContents } from './support/redis.ts'

const SCHEMA = schemaOf({ id: 'int32', n: 'int64', note: 'string?' })
const NODE: RedisViewSinkNode = {
  kind: 'redisView',
  name: 'plays',
  key: ['id'],
  format: 'json',
  ttlMs: null,
  top: { by: 'n', n: 3 },
  table: null,
}
const KEYS = viewKeys(PREFIX, NODE.name)
/** Long enough for any batch to be in the view when it ends, however busy the machine is. */
const AS_LONG_AS_IT_TAKES_MS = 60_000
/** Longer than a batch may wait for a view, with room for a busy machine. */
const PATIENCE_MS = 3000

/** A view over a server of its own, batch by batch. */
const begin = async (settings: readonly string[] = [], node = NODE, timeoutMs = 250) => {
  const server = await ownRedis(settings)
  const redis = await connectRedis(server.url)
  const warnings: string[] = []
  const sink = viewSink({
    node,
    pipeline: 'pipeline',
    store: memoryObjectStore(),
    views: redisViewStore(redis, PREFIX),
    clock: systemClock,
    random: systemRandom,
    timeoutMs: durationMs(timeoutMs),
    warn: code => warnings.push(code),
  })
  onTestFinished(() => sink.close?.())
  sink.resume?.(null, { epoch: driverEpoch(1), requireOwnership: async () => undefined })
  const model = new Map<string, bigint>()
  let batch = -1
  const run = async (...ids: readonly number[]): Promise<number> => {
    batch += 1
    const rows = [
      batchOf(
        SCHEMA,
        ids.map(id => [id, BigInt(batch), null]),
      ),
    ]
    for (const id of ids) model.set(String(id), BigInt(batch))
    const output = { batchId: batchId(batch), epoch: driverEpoch(1), files: [], rows, watermark: null }
    const receipt: JsonValue = await sink.prepare(output)
    const startedAt = performance.now()
    await sink.publish(receipt)
    return performance.now() - startedAt
  }
  const isRight = async (): Promise<boolean> => {
    const seen = await viewContents(redis, node.name)
    const same = [...model].every(([id, n]) => seen.rows.get(id) === `{"id":${id},"n":${n},"note":null}`)
    return seen.batch === batch && seen.rows.size === model.size && same
  }
  return { server, redis, warnings, sink, run, isRight }
}

const many = Array.from({ length: 1300 }, (_, id) => id)

describe('a view in Redis', () => {
  it('that is flushed is whole again with the next batch', async () => {
    const { redis, run, isRight, warnings } = await begin([], NODE, AS_LONG_AS_IT_TAKES_MS)
    await run(...many)
    await run(1, 2)
    expect(await isRight()).toBe(true)
    await redis.call('FLUSHALL')
    await run(3)
    expect(await isRight()).toBe(true)
    expect(warnings).toEqual(['VIEW_REBUILT'])
  })

  it('that lost its index, or rows, is noticed and rebuilt', async () => {
    const { redis, run, isRight } = await begin([], NODE, AS_LONG_AS_IT_TAKES_MS)
    await run(1, 2, 3)
    await redis.call('DEL', KEYS.index)
    await run(4)
    expect(await isRight()).toBe(true)
    await redis.call('DEL', KEYS.row('1'), KEYS.row('2'), KEYS.row('3'), KEYS.row('4'))
    await run(5)
    expect(await isRight()).toBe(true)
  })

  it('heals keys of another type, but leaves alone what lies where its metadata should', async () => {
    const { redis, run, isRight, warnings } = await begin()
    await run(1, 2, 3)
    await redis.call('DEL', KEYS.index, KEYS.row('1'))
    await redis.call('SET', KEYS.index, 'text')
    await redis.call('LPUSH', KEYS.row('1'), 'x')
    await run(1)
    await until(isRight)
    await redis.call('DEL', KEYS.meta)
    await redis.call('SET', KEYS.meta, 'of somebody else')
    expect(await run(2)).toBeLessThan(PATIENCE_MS)
    expect(await redis.call('GET', KEYS.meta)).toBe('of somebody else')
    await until(async () => warnings.at(-1) === 'REDIS_WRONG_TYPE')
    await redis.call('DEL', KEYS.meta)
    await until(isRight)
    await until(async () => warnings.at(-1) === 'VIEW_RECOVERED')
  })

  it('of another pipeline is not touched', async () => {
    const { redis, run, warnings } = await begin()
    const other = ['owner', 'another', 'pipeline', 'others', 'batch', '7', 'status', 'live']
    await redis.call('HSET', KEYS.meta, ...other)
    expect(await run(1)).toBeLessThan(PATIENCE_MS)
    await until(async () => warnings.includes('VIEW_CONFLICT'))
    expect(await redis.call('EXISTS', KEYS.row('1'))).toBe(0)
    expect(await redis.call('HGET', KEYS.meta, 'batch')).toBe('7')
  })

  it('does not hold the stream up while Redis hangs, and is right when it goes on', async () => {
    const { server, run, isRight, warnings } = await begin()
    await run(1, 2, 3)
    process.kill(server.pid, 'SIGSTOP')
    const waits = []
    for (let id = 0; id < 20; id += 1) waits.push(await run(id, id + 1))
    expect(Math.max(...waits)).toBeLessThan(PATIENCE_MS)
    expect(waits.reduce((sum, wait) => sum + wait)).toBeLessThan(2 * PATIENCE_MS)
    await until(async () => warnings.includes('REDIS_UNAVAILABLE'))
    process.kill(server.pid, 'SIGCONT')
    await until(isRight)
    await until(async () => warnings.includes('VIEW_RECOVERED'))
  })

  it('is right again after Redis was killed, and after it came back empty', async () => {
    const { server, redis, run, isRight } = await begin()
    await run(...many)
    await server.kill()
    expect(await run(1)).toBeLessThan(PATIENCE_MS)
    await run(2)
    await server.restart()
    await until(isRight)
    await server.kill()
    await run(3)
    await server.restart()
    await redis.call('FLUSHALL').catch(() => undefined)
    await run(4)
    await until(isRight)
  })

  it('that is full stays as it is and follows when there is room', async () => {
    const { redis, run, isRight, warnings } = await begin(['--maxmemory-policy', 'noeviction'])
    await run(1, 2, 3)
    await redis.call('CONFIG', 'SET', 'maxmemory', '1mb')
    await redis.call('CONFIG', 'SET', 'maxmemory', '1')
    expect(await run(4)).toBeLessThan(PATIENCE_MS)
    await run(5)
    await until(async () => warnings.includes('REDIS_REFUSED'))
    expect((await viewContents(redis, NODE.name)).batch).toBe(0)
    await redis.call('CONFIG', 'SET', 'maxmemory', '0')
    await until(isRight)
  })

  it('on a server that has become a replica stays as it is and follows when that is a primary again', async () => {
    const { redis, run, isRight, warnings } = await begin()
    await run(1, 2, 3)
    await redis.call('REPLICAOF', '127.0.0.1', '1')
    expect(await run(4)).toBeLessThan(PATIENCE_MS)
    await until(async () => warnings.includes('REDIS_REFUSED'))
    await until(async () => (await redis.call('REPLICAOF', 'NO', 'ONE')) === 'OK')
    await until(isRight)
  })

  it('lies in one slot of a Redis Cluster', async () => {
    const { redis, run, isRight } = await begin(['--cluster-enabled', 'yes'])
    await redis.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383)
    await until(async () => String(await redis.call('CLUSTER', 'INFO')).includes('cluster_state:ok'))
    await run(...many)
    await redis.call('DEL', KEYS.row('1'), KEYS.index)
    await run(2)
    await until(isRight)
    const slots = await Promise.all(
      Object.values(KEYS).map(key => redis.call('CLUSTER', 'KEYSLOT', typeof key === 'string' ? key : key('1'))),
    )
    expect(new Set(slots).size).toBe(1)
  })

  it('as a hash has a field for each column that is not null, goes when its time is over, and ranks', async () => {
    const node = { ...NODE, format: 'hash', ttlMs: durationMs(400) } as const
    const { redis, run } = await begin([], node, AS_LONG_AS_IT_TAKES_MS)
    await run(7, 8)
    expect(await redis.call('HGETALL', KEYS.row('7'))).toEqual(['id', '7', 'n', '0'])
    expect([await redis.call('ZREVRANGE', KEYS.top, 0, -1, 'WITHSCORES')].flat(2)).toEqual(['8', '0', '7', '0'])
    await until(async () => (await redis.call('EXISTS', KEYS.row('7'))) === 0)
    await run(9)
    expect(await redis.call('ZREVRANGE', KEYS.top, 0, -1)).toEqual(['9'])
  })
})
