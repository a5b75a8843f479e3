import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { type Duck, openDuck } from '../support/duckdb.ts'
import { pipelineFile, runCli, startCli, temporaryFolder } from './support/cli.ts'
import { loadGenerated } from './support/load-topic.ts'
import { createTopic } from './support/topics.ts'

const PARTITIONS = 4
const ROWS_PER_PARTITION = 400_000
/** Slow enough that five kills find work under way. */
const MAX_RATE = '120000'
const LOOK_EVERY_MS = 50

/**
 * Looks into the folder of a table as a reader would that only lists it: a file that is seen counts from that moment
 * on, must be whole, and must stay.
 */
class Lister {
  looks = 0
  readonly #table: string
  readonly #duck: Duck
  readonly #seen = new Set<string>()

  constructor(table: string, duck: Duck) {
    this.#table = table
    this.#duck = duck
  }

  async look(): Promise<void> {
    this.looks += 1
    const visible = new Set(parquetFiles(this.#table))
    for (const file of this.#seen) expect(visible, 'a file that a reader saw has gone').toContain(file)
    const fresh = [...visible].filter(file => !this.#seen.has(file))
    if (fresh.length === 0) return
    const list = fresh.map(file => `'${join(this.#table, file)}'`).join(', ')
    await this.#duck.query(
      `INSERT INTO seen SELECT partition, "offset" FROM read_parquet([${list}], hive_partitioning = false)`,
    )
    for (const file of fresh) this.#seen.add(file)
    // files only come, so a row that is there twice now would be there twice at some look
    const [counts] = await this.#duck.query(
      'SELECT count(*) AS rows, count(DISTINCT (p, o)) AS distinct_rows FROM seen',
    )
    expect(counts?.['rows']).toBe(counts?.['distinct_rows'])
  }
}

const parquetFiles = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.parquet'))
  } catch {
    return []
  }
}

it('five kill -9, other numbers of workers and another lambda leave each offset in the table exactly once, at every look', async () => {
  const topic = await createTopic(PARTITIONS)
  await loadGenerated(topic, { partitions: PARTITIONS, rowsPerPartition: ROWS_PER_PARTITION, compression: 'lz4' })
  const root = temporaryFolder()
  const duck = await openDuck()
  await duck.query('CREATE TABLE seen (p INTEGER, o BIGINT)')
  const lister = new Lister(join(root, 'raw'), duck)
  const looking = { on: true }
  const looks = (async () => {
    while (looking.on) {
      await lister.look()
      await sleep(LOOK_EVERY_MS)
    }
  })()
  const flags = ['--available-now', '--flush', '--root', root, '--set', `backpressure.maxRate=${MAX_RATE}`]
  const delays: number[] = []
  for (const workers of ['2', '1', '3', '2', '4']) {
    const run = startCli(['run', pipelineFile('plays'), ...flags, '--workers', workers], { TOPIC: topic })
    await run.printed(/batch/)
    const delay = Math.floor(Math.random() * 1500)
    delays.push(delay)
    await sleep(delay)
    run.process.kill('SIGKILL')
    expect((await run.ended).signal, `killed ${delay} ms after its first batch`).toBe('SIGKILL')
  }
  const last = await runCli(['run', pipelineFile('plays-changed'), ...flags, '--workers', '1'], { TOPIC: topic })
  expect(last.stderr).toBe('')
  expect(last.code).toBe(0)
  looking.on = false
  await looks
  await lister.look()
  console.log(`killed ${delays.join(', ')} ms after the first batch; ${lister.looks} looks`)

  const [landed] = await duck.query(
    'SELECT count(*) AS rows, count(DISTINCT (p, o)) AS distinct_rows, max(o) AS last FROM seen',
  )
  const rows = BigInt(PARTITIONS * ROWS_PER_PARTITION)
  expect(landed).toEqual({ rows, distinct_rows: rows, last: BigInt(ROWS_PER_PARTITION - 1) })
  const table = `read_parquet('${root}/raw/**/*.parquet', hive_partitioning = false)`
  const plays = await duck.query(
    `SELECT count(*) AS plays, sum(watch_duration) AS watched FROM ${table} WHERE event_type = 'play'`,
  )
  const windows = `read_parquet('${root}/trending/**/*.parquet', hive_partitioning = false)`
  expect(await duck.query(`SELECT sum(plays)::BIGINT AS plays, sum(watched) AS watched FROM ${windows}`)).toEqual(plays)
  duck.close()
})
