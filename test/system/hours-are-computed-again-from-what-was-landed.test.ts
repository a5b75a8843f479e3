import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Duck, openDuck } from '../support/duckdb.ts'
import { writeEvents } from '../support/events-file.ts'
import { pipelineFile, runCli, startCli, temporaryFolder } from './support/cli.ts'
import { type LoadRecord, loadGenerated, loadTopic } from './support/load-topic.ts'
import { download, listKeys, plainS3Client, s3Environment } from './support/s3.ts'
import { createTopic, uniqueName } from './support/topics.ts'

/** Three hours of events from 10:00 on, the last one some seconds before 13:00. */
const LOAD = { partitions: 2, rowsPerPartition: 35_900, millisPerEvent: 300, compression: 'lz4' } as const
/** Windows of 90 minutes start at 09:00, 10:30 and 12:00. */
const HOURS = ['--from', '2026-01-15T09', '--to', '2026-01-15T13']

const windowsOf = (minutes: number, columns: string): string =>
  `SELECT epoch_ms((event_time // ${minutes * 60_000}) * ${minutes * 60_000}) AS window_start, ${columns}`

const EXPECTED = {
  trending: `${windowsOf(10, 'content_id, count(*) AS plays, sum(watch_duration) AS watched')}
    FROM events WHERE event_type = 'play' GROUP BY 1, 2`,
  long: `${windowsOf(90, 'country, count(*) AS events')} FROM events GROUP BY 1, 2`,
} as const
const COLUMNS = { trending: 'content_id, plays, watched', long: 'country, events' } as const

/** Rows in which a table differs from what DuckDB computes from the raw events. */
const differences = async (duck: Duck, table: keyof typeof EXPECTED, from: string): Promise<unknown> => {
  const ours = `SELECT window_start::TIMESTAMP AS window_start, ${COLUMNS[table]} FROM ${from}`
  const [different] = await duck.query(`SELECT count(*) AS rows FROM (
    ((${EXPECTED[table]}) EXCEPT ALL (${ours})) UNION ALL ((${ours}) EXCEPT ALL (${EXPECTED[table]})))`)
  return different?.['rows']
}

/** What DuckDB computes from the raw events is what the view, and whoever lists the folder, sees. */
const expectExact = async (duck: Duck, root: string): Promise<void> => {
  for (const table of ['trending', 'long'] as const) {
    const listed = `read_parquet('${root}/batch/${table}/**/*.parquet', hive_partitioning = false)`
    for (const from of [`"${table}"`, listed]) {
      expect(await differences(duck, table, from), `${table} from ${from}`).toBe(0n)
    }
  }
}

const loadEvents = async (duck: Duck, events: string): Promise<void> => {
  await duck.query(`CREATE TABLE events AS SELECT * FROM read_json('${events}', format = 'newline_delimited',
    columns = {event_type: 'VARCHAR', event_time: 'BIGINT', content_id: 'INTEGER', country: 'VARCHAR', watch_duration: 'DOUBLE'})`)
}

describe('hours are computed again from what was landed', () => {
  it('killed once and run twice, from files and from Kafka, each hour equals what DuckDB computes from the raw events', async () => {
    const topic = await createTopic(2)
    const root = temporaryFolder()
    const events = join(root, 'events.json')
    await Promise.all([loadGenerated(topic, LOAD), writeEvents(events, LOAD)])
    const env = { TOPIC: topic }
    const pipeline = pipelineFile('landed-plays')
    const streamed = await runCli(['run', pipeline, '--available-now', '--root', root], env)
    expect(streamed).toMatchObject({ code: 0, stderr: '' })
    const backfill = (...flags: readonly string[]) => ['backfill', pipeline, ...HOURS, '--root', root, ...flags]

    const killed = startCli(backfill(), env)
    await killed.printed(/generation 1/)
    killed.process.kill('SIGSTOP')
    const refused = await runCli(backfill(), env)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain(`HOURS_CLAIMED`)
    expect(refused.stderr).toContain(`process ${killed.process.pid}`)
    killed.process.kill('SIGKILL')
    expect((await killed.ended).signal).toBe('SIGKILL')

    const resumed = await runCli(backfill('--max-active', '2'), env)
    expect(resumed).toMatchObject({ code: 0, stderr: '' })
    expect(resumed.stdout).toMatch(/skipped: done by run/)
    const again = await runCli(backfill('--json'), env)
    expect(again.code).toBe(0)
    expect(JSON.parse(again.stdout.trim().split('\n').at(-1) ?? '')).toEqual({
      kind: 'backfillEnded',
      done: 0,
      failed: 0,
      skipped: 4,
    })

    const duck = await openDuck()
    onTestFinished(() => duck.close())
    await loadEvents(duck, events)
    const views = join(root, 'views.sql')
    const tables = await runCli(['tables', pipeline, '--root', root, '--json', '--duckdb-view', views], env)
    const { hours } = JSON.parse(tables.stdout) as { readonly hours: readonly { readonly hour: string }[] }
    expect(hours.map(({ hour }) => hour)).toEqual(['09', '10', '11', '12'].map(hour => `2026-01-15T${hour}`))
    await duck.query(readFileSync(views, 'utf8'))
    await expectExact(duck, root)

    const fromKafka = await runCli(backfill('--source', 'kafka', '--reprocess', 'completed'), env)
    expect(fromKafka).toMatchObject({ code: 0, stderr: '' })
    await expectExact(duck, root)

    const folder = join(root, 'raw/plays/date=2026-01-15/hour=11')
    const [file = ''] = readdirSync(folder)
    writeFileSync(join(folder, file), 'no Parquet')
    const damaged = await runCli(backfill('--reprocess', 'completed'), env)
    expect(damaged.code).toBe(1)
    expect(damaged.stdout).toMatch(
      new RegExp(`2026-01-15T11 +failed: TASK_FAILED: .*failed 3 times.*LANDED_FILE_DAMAGED.*${file}`),
    )
    expect(damaged.stdout).toMatch(/2026-01-15T12 +generation/)
    // what was published before is still what readers see
    await expectExact(duck, root)
  })

  it('on S3, from files that lie there, into files that lie there', async () => {
    const load = { ...LOAD, rowsPerPartition: 12_000, millisPerEvent: 880 }
    const topic = await createTopic(2)
    const folder = temporaryFolder()
    const events = join(folder, 'events.json')
    await Promise.all([loadGenerated(topic, load), writeEvents(events, load)])
    const prefix = uniqueName('hours')
    const env = { ...s3Environment(), TOPIC: topic }
    const root = ['--root', `s3://millrace/${prefix}`]
    const pipeline = pipelineFile('landed-plays')
    const streamed = await runCli(['run', pipeline, '--available-now', ...root], env)
    expect(streamed.code).toBe(0)
    for (const flags of [[], ['--reprocess', 'completed']]) {
      const { code, stdout } = await runCli(['backfill', pipeline, ...HOURS, ...root, ...flags], env)
      expect(code, stdout).toBe(0)
    }
    const client = plainS3Client()
    await download(client, await listKeys(client, `${prefix}/batch/`), folder)
    const duck = await openDuck()
    onTestFinished(() => duck.close())
    await loadEvents(duck, events)
    for (const table of ['trending', 'long'] as const) {
      const listed = `read_parquet('${folder}/${prefix}/batch/${table}/**/*.parquet', hive_partitioning = false)`
      expect(await differences(duck, table, listed), table).toBe(0n)
    }
  })

  it('by the running pipeline itself once they are closed, with the rows in them that came too late for the stream', async () => {
    const topic = await createTopic(1)
    const root = temporaryFolder()
    const play = (time: string, contentId: number): LoadRecord => ({
      value: JSON.stringify({
        event_type: 'play',
        event_time: Date.parse(`2026-01-15T${time}:00Z`),
        content_id: contentId,
        country: 'DE',
      }),
    })
    const run = startCli(['run', pipelineFile('landed-plays'), '--json', '--root', root], { TOPIC: topic })
    // closes the windows of 10:00 in the stream; the hour itself is open until 12:40: 90 minutes for the longest window and
    // ten of grace
    await loadTopic(topic, [play('10:05', 1), play('10:05', 1), play('10:05', 1), play('12:05', 2)])
    await Promise.all([
      run.printed(/"description":"parquet trending","numOutputRows":1/),
      run.printed(/"hourPublished","hour":"2026-01-15T09"/),
    ])
    await loadTopic(topic, [play('10:06', 1), play('10:07', 1), play('13:00', 2)])
    await run.printed(/"hourPublished","hour":"2026-01-15T10"/)
    run.process.kill('SIGTERM')
    expect(await run.ended).toMatchObject({ code: 0, stderr: '' })

    const duck = await openDuck()
    onTestFinished(() => duck.close())
    const playsIn = (table: string) =>
      duck.query(
        `SELECT plays::INTEGER AS plays FROM read_parquet('${root}/${table}/**/*.parquet', hive_partitioning = false) WHERE content_id = 1`,
      )
    expect(await playsIn('trending')).toEqual([{ plays: 3 }])
    expect(await playsIn('batch/trending')).toEqual([{ plays: 5 }])
    // the window of 09:00 begins before the first row; its hour was computed before the late rows came
    expect(
      await duck.query(`SELECT events::INTEGER AS events FROM read_parquet('${root}/batch/long/**/hour=09/*.parquet')`),
    ).toEqual([{ events: 3 }])
  })

  it.each([
    [['--from', '2026-01-15T12', '--to', '2026-01-15T10'], /not before/],
    [['--from', '2026-01-15T10', '--to', '2999-01-15T10'], /not all passed/],
    [['--from', '15.1.2026', '--to', '2026-01-15T10'], /not an hour/],
  ])('%j is wrong usage', async (flags, why) => {
    const { code, stderr } = await runCli([
      'backfill',
      pipelineFile('landed-plays'),
      ...flags,
      '--root',
      temporaryFolder(),
    ])
    expect(code).toBe(2)
    expect(stderr).toMatch(why)
  })
})
