import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { type Fault, startFaultProxy } from '../../scripts/services/fault-proxy.mjs'
import { openDuck } from '../support/duckdb.ts'
import { pipelineFile, runCli, startCli, temporaryFolder } from './support/cli.ts'
import { type LoadRecord, loadTopic } from './support/load-topic.ts'
import { download, listKeys, plainS3Client, s3Environment } from './support/s3.ts'
import { createTopic, uniqueName } from './support/topics.ts'

const rows = (count: number, from: number): readonly LoadRecord[] =>
  Array.from({ length: count }, (_, at) => ({ value: JSON.stringify({ id: from + at, at: 1_768_471_200_000 }) }))

/** A store that can be full: what it holds can be read, nothing can be written. */
const withStore = async () => {
  const store: { full: Fault } = { full: 'none' }
  const proxy = await startFaultProxy({
    target: inject('s3').endpoint,
    fault: ({ method }) => (method === 'PUT' || method === 'POST' ? store.full : 'none'),
  })
  onTestFinished(() => proxy.stop())
  const topic = await createTopic(1)
  const prefix = uniqueName('full')
  const env = { TOPIC: topic, PIPELINE: prefix, ...s3Environment(proxy.endpoint) }
  const args = ['run', pipelineFile('strict'), '--root', `s3://millrace/${prefix}`]
  return { store, proxy, topic, prefix, env, args }
}

/** Rows and different ids that a reader finds in the table. */
const landed = async (prefix: string) => {
  const client = plainS3Client()
  const files = await download(client, await listKeys(client, `${prefix}/rows/`), temporaryFolder())
  client.destroy()
  const duck = await openDuck()
  const list = files.map(file => `'${file}'`).join(', ')
  const [counts] = await duck.query(
    `SELECT count(*)::INT AS n, count(DISTINCT id)::INT AS ids FROM read_parquet([${list}])`,
  )
  duck.close()
  return counts
}

describe.each(['full', 'overQuota'] as const)('a store without room (%s)', kind => {
  it('is waited for while a batch can be tried again: nothing ends, nothing is lost', async () => {
    const { store, proxy, topic, prefix, env, args } = await withStore()
    await loadTopic(topic, rows(100, 0))
    const running = startCli(args, env)
    await running.printed(/batch +0 +100 rows/)
    store.full = kind
    await loadTopic(topic, rows(100, 100))
    await expect.poll(() => proxy.counts.get(kind) ?? 0, { timeout: 60_000 }).toBeGreaterThan(2)
    expect(await landed(prefix)).toEqual({ n: 100, ids: 100 })
    store.full = 'none'
    await running.printed(/batch +1 +100 rows/)
    running.process.kill('SIGTERM')
    expect((await running.ended).code).toBe(0)
    expect(await landed(prefix)).toEqual({ n: 200, ids: 200 })
  })

  it('that stays so is named with what to do; the next run after there is room goes on', async () => {
    const { store, topic, prefix, env, args } = await withStore()
    const bounded = [...args, '--available-now', '--set', 's3.maxAttempts=2']
    await loadTopic(topic, rows(100, 0))
    expect((await runCli(bounded, env)).code).toBe(0)
    await loadTopic(topic, rows(100, 100))
    store.full = kind
    const { code, stderr } = await runCli(bounded, env)
    expect([code, stderr]).toEqual([1, expect.stringMatching(/STORE_FAILED: .*(507|403)[^]*Make room in the store/)])
    expect(await landed(prefix)).toEqual({ n: 100, ids: 100 })
    store.full = 'none'
    expect(await runCli(bounded, env)).toMatchObject({ code: 0, stderr: '' })
    expect(await landed(prefix)).toEqual({ n: 200, ids: 200 })
  })
})
