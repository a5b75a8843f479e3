import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, inject, it } from 'vitest'
import { openDuck } from '../support/duckdb.ts'
import { pipelineFile, runCli, startCli, temporaryFolder } from './support/cli.ts'
import { type LoadRecord, loadTopic } from './support/load-topic.ts'
import { createTopic, deleteRecords, deleteTopic, uniqueName } from './support/topics.ts'

const good = (id: number): LoadRecord => ({ value: JSON.stringify({ id, at: 1_768_471_200_000 + id }) })
const rows = (count: number, from = 0): readonly LoadRecord[] =>
  Array.from({ length: count }, (_, at) => good(from + at))
const run = (root: string, env: Record<string, string>, ...more: string[]) =>
  runCli(['run', pipelineFile('strict'), '--available-now', '--root', root, ...more], env)

const parquetFiles = (folder: string): number =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.parquet')).length
    : 0

describe('bad rows', () => {
  it('go to the dead letters with bytes, coordinates and reason; the rows around them land', async () => {
    const topic = await createTopic(1)
    const bad: readonly LoadRecord[] = [
      { value: 'not json' },
      { value: '{"id":"text","at":1}' },
      { value: '{"at":1}' },
      { value: null },
      { value: '[1]' },
      { value: '{"id":99999999999,"at":1}' },
      { value: `{"id":1,"at":1,"more":"${'x'.repeat(2_000_000)}"}` },
    ]
    await loadTopic(topic, [...rows(500), ...bad, ...rows(500, 500)])
    const root = temporaryFolder()
    const { code, stderr } = await run(root, { TOPIC: topic })
    expect(stderr).toBe('')
    expect(code).toBe(0)
    const duck = await openDuck()
    const landed = await duck.query(
      `SELECT count(*) AS n, count(DISTINCT id) AS ids FROM read_parquet('${root}/rows/**/*.parquet')`,
    )
    expect(landed).toEqual([{ n: 1000n, ids: 1000n }])
    const letters = await duck.query(
      `SELECT "offset", reason FROM read_parquet('${root}/dead_letters/**/*.parquet', hive_partitioning = false) ORDER BY 1`,
    )
    const reasons = ['invalidJson', 'wrongType', 'missingColumn', 'nullValue', 'notAnObject', 'outOfRange', 'tooLarge']
    expect(letters).toEqual(reasons.map((reason, at) => ({ offset: BigInt(500 + at), reason })))
    duck.close()
  })

  it('stop the pipeline when they are too many: exit code 5, nothing landed, nothing committed', async () => {
    const topic = await createTopic(1)
    await loadTopic(topic, [...rows(1000), ...Array.from({ length: 500 }, () => ({ value: 'bad' }))])
    const root = temporaryFolder()
    const { code, stderr } = await run(root, { TOPIC: topic })
    expect(stderr).toContain('TOO_MANY_BAD_ROWS')
    expect(code).toBe(5)
    expect(parquetFiles(root)).toBe(0)
  })
})

describe('a source that is not what it should be', () => {
  it('unknown topic: exit code 1, no data object', async () => {
    const root = temporaryFolder()
    const { code, stderr } = await run(root, { TOPIC: 'no-such-topic' })
    expect(stderr).toMatch(/UNKNOWN_TOPIC: topic no-such-topic does not exist\n.*create the topic/)
    expect(code).toBe(1)
    expect(parquetFiles(root)).toBe(0)
  })

  it('unreachable broker: exit code 1 within seconds, the address named', async () => {
    const { code, stderr } = await run(temporaryFolder(), { TOPIC: 't', MILLRACE_KAFKA_BROKERS: '127.0.0.1:1' })
    expect(stderr).toMatch(/BROKER_UNREACHABLE: .*127\.0\.0\.1:1/)
    expect(code).toBe(1)
  })

  it('offsets that retention deleted: exit code 4; with failOnDataLoss: false the rest is read', async () => {
    const topic = await createTopic(1)
    await loadTopic(topic, rows(100))
    const root = temporaryFolder()
    expect((await run(root, { TOPIC: topic })).code).toBe(0)
    await loadTopic(topic, rows(200, 100))
    await deleteRecords(topic, 0, 150)
    const refused = await run(root, { TOPIC: topic })
    expect(refused.stderr).toMatch(/DATA_LOST: .*offsets 100 to 149/)
    expect(refused.code).toBe(4)
    const allowed = await run(root, { TOPIC: topic, FAIL_ON_DATA_LOSS: 'false' })
    expect(allowed.stderr).toMatch(/offsets 100 to 149 .* are skipped/)
    expect(allowed.code).toBe(0)
    const duck = await openDuck()
    const landed = await duck.query(
      `SELECT count(*) AS n, max(id) AS last FROM read_parquet('${root}/rows/**/*.parquet')`,
    )
    expect(landed).toEqual([{ n: 250n, last: 299 }])
    duck.close()
  })

  it('a topic that was deleted and created anew: exit code 4, until --new-checkpoint begins in the new one', async () => {
    const topic = await createTopic(1)
    await loadTopic(topic, rows(10))
    const root = temporaryFolder()
    expect((await run(root, { TOPIC: topic })).code).toBe(0)
    await deleteTopic(topic)
    await expect
      .poll(
        async () =>
          createTopic(1, {}, topic).then(
            () => true,
            () => false,
          ),
        { timeout: 20_000 },
      )
      .toBe(true)
    const { code, stderr } = await run(root, { TOPIC: topic })
    expect(stderr).toContain('TOPIC_RECREATED')
    expect(code).toBe(4)
    await loadTopic(topic, rows(7))
    const anew = await run(root, { TOPIC: topic }, '--new-checkpoint')
    expect(anew.stderr).toBe('')
    expect(anew.code).toBe(0)
    expect(anew.stdout).toMatch(/batch +0 +7 rows/)
  })

  it('--reset-offsets goes on from where the source is told to start', async () => {
    const topic = await createTopic(1)
    await loadTopic(topic, rows(20))
    const root = temporaryFolder()
    expect((await run(root, { TOPIC: topic })).stdout).toMatch(/batch +0 +20 rows/)
    await loadTopic(topic, rows(10, 20))
    const reset = await run(root, { TOPIC: topic }, '--reset-offsets')
    expect(reset.stderr).toBe('')
    expect(reset.stdout).toMatch(/batch +1 +30 rows/)
  })

  it('a checkpoint of another plan: exit code 2, and --new-checkpoint begins another', async () => {
    const topic = await createTopic(1)
    await loadTopic(topic, rows(10))
    const root = temporaryFolder()
    expect((await run(root, { TOPIC: topic })).code).toBe(0)
    const other = await createTopic(1)
    await loadTopic(other, rows(10))
    const { code, stderr } = await run(root, { TOPIC: other })
    expect(stderr).toMatch(/PLAN_CHANGED|TOPIC_RECREATED|CHECKPOINT_OF_OTHER_PIPELINE/)
    expect(code).not.toBe(0)
    expect((await run(root, { TOPIC: other }, '--new-checkpoint')).code).toBe(0)
  })
})

describe('a broker whose disk or network fails', () => {
  it('a record batch with a flipped bit: exit code 1, nothing landed from it', async () => {
    const topic = await createTopic(1)
    await loadTopic(topic, rows(100))
    const log = join(inject('kafkaFolder'), 'data', `${topic}-0`, '00000000000000000000.log')
    const bytes = readFileSync(log)
    bytes.writeUInt8(bytes.readUInt8(1000) ^ 4, 1000)
    writeFileSync(log, bytes)
    const root = temporaryFolder()
    const { code, stderr } = await run(root, { TOPIC: topic })
    expect(stderr).toMatch(/CORRUPT_RECORD_BATCH.*offset 0.*CRC-32C|the record batch at offset 0 is corrupt/)
    expect(code).toBe(1)
    expect(parquetFiles(root)).toBe(0)
  })

  it('a broker that answers nothing for a while is given up on, reached again, and nothing is lost', async () => {
    const topic = await createTopic(1)
    await loadTopic(topic, rows(100))
    const root = temporaryFolder()
    const flags = ['--root', root, '--set', 'kafka.requestTimeout=1s']
    const running = startCli(['run', pipelineFile('strict'), ...flags], { TOPIC: topic })
    await running.printed(/batch +0/)
    process.kill(inject('kafkaPid'), 'SIGSTOP')
    try {
      // longer than a request may take
      await sleep(3000)
      expect(running.process.exitCode).toBeNull()
    } finally {
      process.kill(inject('kafkaPid'), 'SIGCONT')
    }
    await loadTopic(topic, rows(50, 100))
    await running.printed(/batch +1/)
    running.process.kill('SIGTERM')
    expect((await running.ended).code).toBe(0)
    const duck = await openDuck()
    const landed = await duck.query(
      `SELECT count(*) AS n, count(DISTINCT "offset") AS d FROM read_parquet('${root}/rows/**/*.parquet')`,
    )
    expect(landed).toEqual([{ n: 150n, d: 150n }])
    duck.close()
  })
})

describe('a checkpoint that is not what was written', () => {
  const withCheckpoint = async (change: (header: string) => string) => {
    const topic = await createTopic(1)
    await loadTopic(topic, rows(10))
    const root = temporaryFolder()
    expect((await run(root, { TOPIC: topic })).code).toBe(0)
    await loadTopic(topic, rows(10, 10))
    const commits = join(root, '_checkpoints', 'strict')
    for (const name of readdirSync(commits, { recursive: true, encoding: 'utf8' })) {
      if (!/header|commits\//.test(name) || !statSync(join(commits, name)).isFile()) continue
      writeFileSync(join(commits, name), change(readFileSync(join(commits, name), 'utf8')))
    }
    const files = parquetFiles(root)
    const outcome = await run(root, { TOPIC: topic })
    expect(parquetFiles(root)).toBe(files)
    return outcome
  }

  it('damaged: exit code 1, nothing landed', async () => {
    const { code, stderr } = await withCheckpoint(text => text.replace(/"batchId":|"pipeline":/, '"x":'))
    expect(stderr).toContain('CHECKPOINT_DAMAGED')
    expect(code).toBe(1)
  })

  it('of a newer format: exit code 1, nothing landed', async () => {
    const { code, stderr } = await withCheckpoint(text => text.replace('{"format":1,', '{"format":2,'))
    expect(stderr).toContain('CHECKPOINT_FORMAT_NEWER')
    expect(code).toBe(1)
  })
})

describe('signals', () => {
  it('SIGTERM ends a running pipeline with exit code 0, and the next run goes on without a gap', async () => {
    const topic = await createTopic(1)
    await loadTopic(topic, rows(1000))
    const root = temporaryFolder()
    const running = startCli(['run', pipelineFile('strict'), '--root', root], {
      TOPIC: topic,
      PIPELINE: uniqueName('p'),
    })
    await running.printed(/batch +0/)
    running.process.kill('SIGTERM')
    expect(await running.ended).toMatchObject({ code: 0, signal: null })
    expect(parquetFiles(join(root, 'rows'))).toBeGreaterThan(0)
  })
})
