import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type FastCopyUnderTest, fastCopyPromises } from 'millrace/testing'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { batchId, driverEpoch, durationMs, epochMs } from '../../src/base/units.ts'
import type { CommitEntry } from '../../src/checkpoint/entries.ts'
import type { FastCopy } from '../../src/checkpoint/fast-copy.ts'
import { readFastCopy, redisFastCopy } from '../../src/checkpoint/redis/redis-fast-copy.ts'
import { openRedis } from '../../src/storage/redis/ioredis-connection.ts'
import { systemClock } from '../../src/wiring/system.ts'
import { commitOf } from '../support/checkpoints.ts'
import { runCli, startCli, temporaryFolder } from './support/cli.ts'
import { connectRedis, ownRedis, PREFIX, until } from './support/redis.ts'
import { uniqueName } from './support/topics.ts'

const begin = async (pipeline = uniqueName('pipeline'), leaseTtlMs = 1500) => {
  const redis = await connectRedis(inject('redisUrl'))
  const warnings: string[] = []
  const options = { redis, prefix: PREFIX, pipeline, clock: systemClock, leaseTtlMs: durationMs(leaseTtlMs) }
  const copy: FastCopy = redisFastCopy({ ...options, warn: code => warnings.push(code) })
  onTestFinished(() => copy.close())
  return { redis, copy, pipeline, warnings, read: () => readFastCopy(redis, PREFIX, pipeline) }
}

const driver = (epoch: number) => ({ epoch, host: 'here', pid: epoch * 100, since: '2026-01-15T10:00:00.000Z' })
const commit = (batch: number): CommitEntry => ({
  ...commitOf(batch),
  epoch: driverEpoch(1),
  nonce: '0'.repeat(32),
  batchId: batchId(batch),
  committedAt: epochMs(Date.UTC(2026, 0, 15)),
})

describe('in Redis', () => {
  const promises = fastCopyPromises(async (): Promise<FastCopyUnderTest> => {
    const redis = await connectRedis(inject('redisUrl'))
    const pipeline = uniqueName('pipeline')
    const options = { redis, prefix: PREFIX, pipeline, clock: systemClock, leaseTtlMs: durationMs(60_000) }
    return {
      openDriver: () => redisFastCopy({ ...options, warn: code => expect.unreachable(code) }),
      read: () => readFastCopy(redis, PREFIX, pipeline),
      close: async () => undefined,
    }
  })
  for (const { name, run } of promises) it(name, run)
})

describe('the lease', () => {
  it('outlives its own time while its driver runs', async () => {
    const { copy, read } = await begin()
    expect(await copy.begin(driver(1))).toBeNull()
    await new Promise(resolve => setTimeout(resolve, 2500))
    expect((await read()).driver).toEqual(driver(1))
    await copy.close()
    expect((await read()).driver).toBeNull()
  })
})

describe('the fast copy', () => {
  it('holds the offsets of the newest commit', async () => {
    const { copy, read, redis, pipeline } = await begin()
    for (let batch = 0; batch < 200; batch += 1) copy.committed(commit(batch))
    await until(async () => (await read()).committed?.batchId === 199)
    expect(await redis.call('HGET', `${PREFIX}pipeline:{${pipeline}}`, 'offsets')).toBe('{"plays":{"0":2000}}')
  })

  it('that can not be written costs a warning and nothing else', async () => {
    const server = await ownRedis()
    const redis = await connectRedis(server.url)
    const warnings: string[] = []
    const options = { redis, prefix: PREFIX, pipeline: 'p', clock: systemClock, leaseTtlMs: durationMs(100) }
    const copy = redisFastCopy({ ...options, warn: code => warnings.push(code) })
    await server.kill()
    expect(await copy.begin(driver(1))).toBeNull()
    for (let batch = 0; batch < 1000; batch += 1) copy.committed(commit(batch))
    await copy.close()
    expect(warnings.toSorted()).toEqual(['LEASE_NOT_KEPT', 'OFFSETS_NOT_COPIED'])
    await server.restart()
  })
})

const PIPELINE = `
import { count, datagen, json, pipeline, redisView, schema } from 'millrace'
export default pipeline('held')
  .from(datagen({ rowsPerSecond: 500 }), json(schema({ country: 'string' })))
  .groupBy('country')
  .aggregate({ plays: count() })
  .to(redisView('held'))
`

describe('the command line', () => {
  const begun = () => {
    const root = temporaryFolder()
    const file = join(root, 'held.ts')
    writeFileSync(file, PIPELINE)
    return [file, '--root', root] as const
  }

  it('shows who runs and how far the views are', async () => {
    const { url } = await ownRedis()
    const env = { MILLRACE_REDIS_URL: url }
    const args = begun()
    const run = startCli(['run', ...args], env)
    onTestFinished(() => void run.process.kill('SIGKILL'))
    await run.printed(/batch +2/)
    const { stdout } = await runCli(['status', ...args], env)
    expect(stdout).toContain(`driver epoch 1 runs at `)
    expect(stdout).toContain(`pid ${run.process.pid}`)
    expect(stdout).toMatch(/held +\| live +\| +\d+/)
    run.process.kill('SIGTERM')
    expect((await run.ended).code).toBe(0)
    expect((await runCli(['status', ...args], env)).stdout).toContain('no driver holds the lease')
  })

  it('refuses a view without Redis, and says what to set', async () => {
    const { code, stderr } = await runCli(['run', ...begun()])
    expect(code).toBe(2)
    expect(stderr).toContain('the view held needs Redis')
    expect(stderr).toContain('MILLRACE_REDIS_URL')
  })

  it('never prints the password', async () => {
    const { url } = await ownRedis(['--requirepass', 'open-sesame'])
    const secret = url.replace('//', '//default:wrong-secret@')
    const args = [...begun(), '--set', `redis.url=${secret}`] as const
    const run = await runCli(['run', ...args, '--batches', '2', '--json'])
    expect(run.code).toBe(0)
    expect(run.stdout + run.stderr).toContain('REDIS')
    const status = await runCli(['status', ...args])
    expect(status.stdout).toContain('Redis could not be asked')
    const config = await runCli(['config', '--set', `redis.url=${secret}`])
    expect(config.stdout).toContain('(secret)')
    const bad = await runCli(['run', ...begun(), '--set', 'redis.url=http://u:wrong-secret@host'])
    expect(bad.code).toBe(2)
    const printed = [run, status, config, bad].map(({ stdout, stderr }) => stdout + stderr).join('\n')
    expect(printed).not.toContain('wrong-secret')
  })

  it('goes on without a Redis that is not there', async () => {
    const env = { MILLRACE_REDIS_URL: 'redis://127.0.0.1:1' }
    const startedAt = performance.now()
    const { code, stdout } = await runCli(['run', ...begun(), '--batches', '3', '--json'], env)
    expect(code).toBe(0)
    expect(stdout).toContain('REDIS_UNAVAILABLE')
    expect(performance.now() - startedAt).toBeLessThan(20_000)
    await expect(
      (await openRedis({ url: 'redis://127.0.0.1:1', connectTimeoutMs: 100, commandTimeoutMs: 100 })).call('PING'),
    ).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE', retriable: true })
  })
})
