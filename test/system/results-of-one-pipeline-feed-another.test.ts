import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, inject, it } from 'vitest'
import { type Duck, openDuck } from '../support/duckdb.ts'
import { writeEvents } from '../support/events-file.ts'
import { pipelineFile, runCli, startCli, temporaryFolder } from './support/cli.ts'
import { loadGenerated, loadTopic } from './support/load-topic.ts'
import { createTopic, deleteTopic, recordsIn } from './support/topics.ts'

const LOAD = { partitions: 2, rowsPerPartition: 40_000, compression: 'lz4' } as const
/** Kills at random, and one while a large batch is on its way. */
const KILLS = ['random', 'random', 'sending'] as const

const single = async (duck: Duck, query: string): Promise<unknown> =>
  Object.values((await duck.query(query))[0] ?? {})[0]

/** Rows of `one` that `other` lacks or holds less often. */
const missing = (duck: Duck, one: string, other: string): Promise<unknown> =>
  single(duck, `SELECT count(*) FROM ((${one}) EXCEPT ALL (${other}))`)

/** A landed table; the id that a row's message had is its only header. */
const landed = (root: string, table: string): string =>
  `(SELECT *, from_base64(headers::JSON->0->>'value')::VARCHAR AS id FROM read_parquet('${root}/${table}/**/*.parquet', hive_partitioning = false))`

const outbox = (root: string): readonly string[] =>
  !existsSync(join(root, '_outbox'))
    ? []
    : readdirSync(join(root, '_outbox'), { recursive: true, withFileTypes: true, encoding: 'utf8' })
        .filter(entry => entry.isFile())
        .map(entry => entry.name)

it('with kill -9 in between: nothing is lost, and what comes twice has the same id', async () => {
  const [topic, rowsTopic, windowsTopic] = await Promise.all([createTopic(2), createTopic(3), createTopic(2)])
  const root = temporaryFolder()
  const file = join(root, 'events.json')
  await Promise.all([loadGenerated(topic, LOAD), writeEvents(file, LOAD)])
  const env = { TOPIC: topic, ROWS_TOPIC: rowsTopic, WINDOWS_TOPIC: windowsTopic }
  const flags = ['--available-now', '--flush', '--root', root, '--set', 'backpressure.maxRate=30000']
  for (const kill of KILLS) {
    const before = await recordsIn(rowsTopic)
    const more = kill === 'sending' ? ['--set', 'backpressure.enabled=false'] : []
    const running = startCli(['run', pipelineFile('feeding'), ...flags, ...more], env)
    if (kill === 'random') {
      await running.printed(/batch/)
      await sleep(Math.random() * 600)
    } else {
      await expect.poll(() => recordsIn(rowsTopic), { interval: 5, timeout: 60_000 }).toBeGreaterThan(before)
    }
    running.process.kill('SIGKILL')
    expect((await running.ended).signal).toBe('SIGKILL')
  }
  const last = await runCli(['run', pipelineFile('feeding'), ...flags], env)
  expect(last.stderr).toBe('')
  expect(last.code).toBe(0)
  expect(outbox(root)).toEqual([])

  for (const name of ['fed', 'fed-rows']) {
    const fed = await runCli(['run', pipelineFile(name), '--available-now', '--root', root], env)
    expect(fed.stderr).toBe('')
    expect(fed.code).toBe(0)
  }
  const duck = await openDuck()
  const columns =
    "columns = {event_id: 'VARCHAR', event_type: 'VARCHAR', event_time: 'BIGINT', content_id: 'INTEGER', watch_duration: 'DOUBLE'}"
  const events = `(SELECT * FROM read_json('${file}', format = 'newline_delimited', ${columns}) WHERE event_type = 'play')`

  // one row for each id: what is repeated is the same to the byte
  const rows = `SELECT DISTINCT id, event_id, content_id FROM ${landed(root, 'rows')}`
  expect(await single(duck, `SELECT count(*) - count(DISTINCT id) FROM (${rows})`)).toBe(0n)
  const theirs = `SELECT event_id, content_id FROM ${events}`
  expect(await missing(duck, `SELECT event_id, content_id FROM (${rows})`, theirs)).toBe(0n)
  expect(await missing(duck, theirs, `SELECT event_id, content_id FROM (${rows})`)).toBe(0n)
  // rows with one key are in one partition
  expect(
    await single(
      duck,
      `SELECT max(n) FROM (SELECT count(DISTINCT partition) AS n FROM ${landed(root, 'rows')} GROUP BY content_id)`,
    ),
  ).toBe(1n)

  const windows = `SELECT DISTINCT id, window_start::TIMESTAMP AS window_start, content_id, plays, watched FROM ${landed(root, 'windows')}`
  expect(await single(duck, `SELECT count(*) - count(DISTINCT id) FROM (${windows})`)).toBe(0n)
  const ours = `SELECT window_start, content_id, plays, watched FROM (${windows})`
  const computed = `SELECT epoch_ms((event_time // 10000) * 10000) AS window_start, content_id, count(*) AS plays,
    sum(watch_duration) AS watched FROM ${events} GROUP BY 1, 2`
  expect(await missing(duck, ours, computed)).toBe(0n)
  expect(await missing(duck, computed, ours)).toBe(0n)
  const repeated = await single(duck, `SELECT count(*) - count(DISTINCT id) FROM ${landed(root, 'rows')}`)
  console.log(
    `${String(repeated)} of ${String(await single(duck, `SELECT count(*) FROM ${landed(root, 'rows')}`))} rows came again`,
  )
  duck.close()
})

describe('a topic that does not take rows', () => {
  const small = async () => {
    const topic = await createTopic(1)
    await loadTopic(topic, [
      { value: '{"event_id":"a","event_type":"play","event_time":1768471200000,"content_id":1}' },
    ])
    return topic
  }
  const run = (root: string, env: Readonly<Record<string, string>>, ...more: readonly string[]) =>
    runCli(['run', pipelineFile('feeding'), '--available-now', '--flush', '--root', root, ...more], env)

  it('does not exist: exit code 1 before anything is committed', async () => {
    const env = { TOPIC: await small(), ROWS_TOPIC: 'no-such-topic', WINDOWS_TOPIC: await createTopic(1) }
    const root = temporaryFolder()
    const { code, stderr } = await run(root, env)
    expect(stderr).toMatch(/UNKNOWN_TOPIC: topic no-such-topic, which the pipeline writes, does not exist/)
    expect(code).toBe(1)
    expect((await runCli(['status', pipelineFile('feeding'), '--root', root], env)).stdout).toMatch(/committed nothing/)
  })

  it('takes only smaller records: exit code 1 before anything is committed', async () => {
    const rowsTopic = await createTopic(1, { 'max.message.bytes': '480' })
    const env = { TOPIC: await small(), ROWS_TOPIC: rowsTopic, WINDOWS_TOPIC: await createTopic(1) }
    const root = temporaryFolder()
    const { code, stderr } = await run(root, env)
    expect(stderr).toMatch(/RECORD_TOO_LARGE: a row makes a message of \d+ bytes/)
    expect(code).toBe(1)
    expect(outbox(root)).toEqual([])
  })

  it('is gone between commit and sending: the rows wait in the outbox and come after the next start', async () => {
    const [rowsTopic, windowsTopic] = await Promise.all([createTopic(1), createTopic(1)])
    const env = { TOPIC: await small(), ROWS_TOPIC: rowsTopic, WINDOWS_TOPIC: windowsTopic }
    const root = temporaryFolder()
    const running = startCli(['run', pipelineFile('feeding'), '--root', root], env)
    await running.printed(/batch +0/)
    await deleteTopic(rowsTopic)
    await loadTopic(env.TOPIC, [
      { value: '{"event_id":"b","event_type":"play","event_time":1768471200001,"content_id":2}' },
    ])
    const { code, stderr } = await running.ended
    expect(stderr).toMatch(/UNKNOWN_TOPIC: topic .*, which the pipeline writes, does not exist/)
    expect(code).toBe(1)
    expect(outbox(root)).toHaveLength(1)
    await expect
      .poll(
        () =>
          createTopic(1, {}, rowsTopic).then(
            () => true,
            () => false,
          ),
        { timeout: 20_000 },
      )
      .toBe(true)
    expect((await run(root, env)).stderr).toBe('')
    expect((await runCli(['run', pipelineFile('fed-rows'), '--available-now', '--root', root], env)).stdout).toMatch(
      /batch +0 +1 rows/,
    )
  })
})

it('a broker that is silent while rows are sent is waited for', async () => {
  const [topic, rowsTopic, windowsTopic] = await Promise.all([createTopic(1), createTopic(1), createTopic(1)])
  const env = { TOPIC: topic, ROWS_TOPIC: rowsTopic, WINDOWS_TOPIC: windowsTopic }
  const root = temporaryFolder()
  await loadGenerated(topic, { partitions: 1, rowsPerPartition: 20_000 })
  const flags = ['--root', root, '--set', 'kafka.requestTimeout=2s', '--set', 'backpressure.maxRate=4000']
  const running = startCli(['run', pipelineFile('feeding'), ...flags], env)
  await running.printed(/batch +1/)
  process.kill(inject('kafkaPid'), 'SIGSTOP')
  try {
    await sleep(5000)
    expect(running.process.exitCode).toBe(null)
  } finally {
    process.kill(inject('kafkaPid'), 'SIGCONT')
  }
  await running.printed(/batch +4/)
  running.process.kill('SIGTERM')
  expect((await running.ended).code).toBe(0)
})
