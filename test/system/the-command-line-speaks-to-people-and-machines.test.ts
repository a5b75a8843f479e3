import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { openDuck } from '../support/duckdb.ts'
import { pipelineFile, runCli, startCli, temporaryFolder } from './support/cli.ts'
import { type LoadRecord, loadTopic } from './support/load-topic.ts'
import { addPartitions, createTopic, groupOffsets } from './support/topics.ts'

const rows = (count: number): readonly LoadRecord[] =>
  Array.from({ length: count }, (_, id) => ({ value: JSON.stringify({ id, at: 1_768_471_200_000 + id }) }))

describe('run', () => {
  it('--json tells each batch as one line, with Spark names and a ledger that adds up', async () => {
    const topic = await createTopic(2)
    await loadTopic(topic, [...rows(3000), { value: 'bad' }])
    const args = ['run', pipelineFile('strict'), '--available-now', '--json', '--root', temporaryFolder()]
    const { code, stdout } = await runCli(args, { TOPIC: topic })
    expect(code).toBe(0)
    const events = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    const progress = events.flatMap(event => (event.kind === 'progress' ? [event.progress] : []))
    expect(progress.map(each => each.batchId)).toEqual(progress.map((_, at) => at))
    const sum = (pick: (each: { ledger: { read: number; decoded: number } }) => number) =>
      progress.reduce((total, each) => total + pick(each), 0)
    expect(sum(each => each.ledger.read)).toBe(3001)
    expect(sum(each => each.ledger.decoded)).toBe(3000)
    expect(progress[0]).toMatchObject({ name: 'strict', sources: [{ description: `kafka ${topic}` }] })
    expect(progress[0]).toHaveProperty('inputRowsPerSecond')
    expect(progress[0]).toHaveProperty('processedRowsPerSecond')
    expect(progress[0].durationMs).toHaveProperty('triggerExecution')
  })

  it('keeps to maxOffsetsPerTrigger, and gathers minOffsetsPerTrigger before it begins', async () => {
    const topic = await createTopic(2)
    await loadTopic(topic, [...rows(600), ...rows(400).map(row => ({ ...row, partition: 1 }))])
    const rowsOf = (stdout: string): readonly number[] =>
      stdout
        .trim()
        .split('\n')
        .map(line => JSON.parse(line))
        .flatMap(event => (event.kind === 'progress' ? [event.progress.numInputRows] : []))
    const args = ['run', pipelineFile('strict'), '--json', '--root']
    const most = await runCli([...args, temporaryFolder(), '--available-now'], { TOPIC: topic, MAX_OFFSETS: '300' })
    expect(rowsOf(most.stdout).reduce((sum, each) => sum + each, 0)).toBe(1000)
    expect(Math.max(...rowsOf(most.stdout))).toBeLessThanOrEqual(300)

    const few = await createTopic(1)
    await loadTopic(few, rows(10))
    const running = startCli([...args, temporaryFolder()], { TOPIC: few, MIN_OFFSETS: '50' })
    await running.printed(/started|starts/)
    await loadTopic(few, rows(45))
    await running.printed(/"kind":"progress"/)
    running.process.kill('SIGTERM')
    expect(rowsOf((await running.ended).stdout)).toEqual([55])
  })

  it('finds partitions that are added while it runs', async () => {
    const topic = await createTopic(1)
    await loadTopic(topic, rows(10))
    const root = temporaryFolder()
    const running = startCli(['run', pipelineFile('strict'), '--root', root], { TOPIC: topic })
    await running.printed(/batch +0/)
    await addPartitions(topic, 2)
    await expect
      .poll(() => loadTopic(topic, [{ partition: 1, value: '{"id":77,"at":1768471200000}' }]).catch(() => 0), {
        timeout: 20_000,
      })
      .toBe(1)
    await running.printed(/batch +1/)
    running.process.kill('SIGTERM')
    expect((await running.ended).code).toBe(0)
    const duck = await openDuck()
    const landed = await duck.query(
      `SELECT count(*) AS n, max(partition) AS p FROM read_parquet('${root}/rows/**/*.parquet')`,
    )
    expect(landed).toEqual([{ n: 11n, p: 1 }])
    duck.close()
  })

  it('a second signal ends it at once, and the next run loses and doubles nothing', async () => {
    const topic = await createTopic(1)
    await loadTopic(topic, rows(200_000))
    const root = temporaryFolder()
    const running = startCli(['run', pipelineFile('strict'), '--root', root], { TOPIC: topic })
    await running.printed(/batch +0/)
    running.process.kill('SIGTERM')
    running.process.kill('SIGINT')
    await running.ended
    expect(
      (await runCli(['run', pipelineFile('strict'), '--available-now', '--root', root], { TOPIC: topic })).code,
    ).toBe(0)
    const duck = await openDuck()
    const counts = await duck.query(
      `SELECT count(*) AS n, count(DISTINCT "offset") AS d FROM read_parquet('${root}/rows/**/*.parquet')`,
    )
    expect(counts).toEqual([{ n: 200_000n, d: 200_000n }])
    duck.close()
  })
})

describe('an end from outside', () => {
  const generated = async (...args: readonly string[]) => {
    const running = startCli(['demo', '--root', temporaryFolder(), ...args])
    await running.printed(/batch +0|"batchId":0/)
    return running
  }

  it('Ctrl-C ends the demo with exit code 0 and says where the files are', async () => {
    const running = await generated()
    running.process.kill('SIGINT')
    const { code, signal, stdout } = await running.ended
    expect({ code, signal }).toEqual({ code: 0, signal: null })
    expect(stdout).toMatch(/demo ended after \d+ batches\n\nThe files are in .*duckdb -c/s)
  })

  it('a reader of the output that goes away ends it with exit code 0', async () => {
    const running = await generated('--json')
    running.process.stdout?.destroy()
    expect(await running.ended).toMatchObject({ code: 0, signal: null, stderr: '' })
  })

  it('a batch that hangs is abandoned after stopTimeout, with exit code 0', async () => {
    const args = ['run', pipelineFile('hanging'), '--root', temporaryFolder(), '--set', 'stopTimeout=500ms']
    const running = startCli(args)
    await running.printed(/the function hangs/)
    running.process.kill('SIGTERM')
    const askedAt = Date.now()
    expect(await running.ended).toMatchObject({ code: 0, signal: null, stderr: '' })
    expect(Date.now() - askedAt).toBeLessThan(10_000)
  })

  it('a signal before a pipeline has started ends it with exit code 0', async () => {
    const env = { TOPIC: 'none', MILLRACE_KAFKA_BROKERS: '127.0.0.1:1' }
    const running = startCli(['run', pipelineFile('strict'), '--root', temporaryFolder()], env)
    // the broker is asked for five seconds
    await sleep(2000)
    running.process.kill('SIGTERM')
    expect(await running.ended).toMatchObject({ code: 0, signal: null, stderr: '' })
  })
})

describe('status, plan and config', () => {
  it('status tells what is committed and what waits, and takes nothing over', async () => {
    const topic = await createTopic(1)
    await loadTopic(topic, rows(100))
    const root = temporaryFolder()
    const env = { TOPIC: topic }
    expect((await runCli(['status', pipelineFile('strict'), '--root', root], env)).stdout).toMatch(/committed nothing/)
    await runCli(['run', pipelineFile('strict'), '--available-now', '--root', root], env)
    expect(await groupOffsets('millrace-strict', topic)).toEqual(new Map([[0, 100]]))
    await loadTopic(topic, rows(23))
    const { stdout, code } = await runCli(['status', pipelineFile('strict'), '--root', root, '--json'], env)
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      pipeline: 'strict',
      committed: { batchId: 0 },
      rowsRead: 100,
      partitions: [{ topic, partition: 0, offset: 100, latest: 123, lag: 23 }],
    })
    const people = await runCli(['status', pipelineFile('strict'), '--root', root], env)
    expect(people.stdout).toMatch(new RegExp(`${topic}/0 +\\| +100 \\| +123 \\| +23`))
  })

  it('plan touches no service; a file that is no pipeline is refused with exit code 2', async () => {
    const env = { MILLRACE_KAFKA_BROKERS: '127.0.0.1:1' }
    const { code, stdout } = await runCli(['plan', pipelineFile('plays')], env)
    expect(code).toBe(0)
    expect(stdout).toMatch(/raw/)
    expect(stdout).toMatch(/tumbling|window/)
    const none = await runCli(['plan', 'no-such-file.ts'], env)
    expect(none.code).toBe(2)
    expect(none.stderr).toMatch(/PIPELINE_NOT_LOADABLE/)
  })

  it('errors are one line of JSON with --json; unknown configuration is refused with the nearest name', async () => {
    const { code, stderr } = await runCli(['run', pipelineFile('strict'), '--json', '--set', 'kafka.borkers=x:1'])
    expect(code).toBe(2)
    const { error } = JSON.parse(stderr)
    expect(error).toMatchObject({ code: 'INVALID_CONFIG' })
    expect(`${error.message} ${error.remedy}`).toContain('kafka.brokers')
    const usage = await runCli(['run', pipelineFile('strict'), '--json', '--nonsense'])
    expect(usage.code).toBe(2)
    expect(JSON.parse(usage.stderr)).toMatchObject({
      error: { code: 'INVALID_USAGE', message: "unknown option '--nonsense'" },
    })
  })

  it('the version is that of the package', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    expect((await runCli(['--version'])).stdout.trim()).toBe(version)
  })
})
