import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ListMultipartUploadsCommand, type S3Client } from '@aws-sdk/client-s3'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { type Fault, startFaultProxy } from '../../scripts/services/fault-proxy.mjs'
import { seededRandom } from '../../src/base/random.ts'
import { type Duck, openDuck } from '../support/duckdb.ts'
import { writeEvents } from '../support/events-file.ts'
import { pipelineFile, runCli, startCli, temporaryFolder } from './support/cli.ts'
import { loadGenerated } from './support/load-topic.ts'
import { download, listKeys, plainS3Client, s3Environment } from './support/s3.ts'
import { createTopic, uniqueName } from './support/topics.ts'

const PARTITIONS = 4
const LOOK_EVERY_MS = 50

/** Lists a table's folder and reads what is new there, as any reader would that knows nothing of Millrace. */
class Lister {
  looks = 0
  readonly #client: S3Client
  readonly #table: string
  readonly #folder: string
  readonly #duck: Duck
  readonly #seen = new Set<string>()

  constructor(client: S3Client, table: string, folder: string, duck: Duck) {
    this.#client = client
    this.#table = table
    this.#folder = folder
    this.#duck = duck
  }

  async look(): Promise<void> {
    this.looks += 1
    const visible = new Set(await listKeys(this.#client, this.#table))
    for (const key of this.#seen) expect(visible, 'an object that a reader saw has gone').toContain(key)
    const fresh = [...visible].filter(key => !this.#seen.has(key))
    if (fresh.length === 0) return
    const files = await download(this.#client, fresh, this.#folder)
    const list = files.map(file => `'${file}'`).join(', ')
    await this.#duck.query(
      `INSERT INTO seen SELECT partition, "offset" FROM read_parquet([${list}], hive_partitioning = false)`,
    )
    for (const key of fresh) this.#seen.add(key)
    // objects only come, so a row of a batch that was never committed would be there twice once it is
    const [counts] = await this.#duck.query(
      'SELECT count(*) AS rows, count(DISTINCT (p, o)) AS distinct_rows FROM seen',
    )
    expect(counts?.['rows']).toBe(counts?.['distinct_rows'])
  }
}

/** Three calls of ten fail: half of them before their effect, half with their answer lost after it. */
const threeOfTenFail = (seed: number) => {
  const random = seededRandom(seed)
  return (): Fault => {
    const drawn = random.next()
    return drawn < 0.15 ? 'slowDown' : drawn < 0.3 ? 'lost' : 'none'
  }
}

const WINDOWS = (events: string): string => `
  SELECT epoch_ms((event_time // 10000) * 10000) AS window_start, content_id, count(*) AS plays, sum(watch_duration) AS watched
  FROM ${events} WHERE event_type = 'play' GROUP BY 1, 2`

const missing = async (duck: Duck, one: string, other: string): Promise<unknown> => {
  const [row] = await duck.query(`SELECT count(*) AS rows FROM ((${one}) EXCEPT ALL (${other}))`)
  return row?.['rows']
}

describe('five kill -9 and other numbers of workers on S3 with Redis beside it leave each row exactly once, at every look, and each window as DuckDB has it', () => {
  it.each([
    { store: 'a store that is well', faulty: false, rowsPerPartition: 60_000, maxRate: 15_000 },
    { store: 'a store where three calls of ten fail', faulty: true, rowsPerPartition: 40_000, maxRate: 10_000 },
  ])('$store', async ({ faulty, rowsPerPartition, maxRate }) => {
    const load = { partitions: PARTITIONS, rowsPerPartition, compression: 'lz4' } as const
    const topic = await createTopic(PARTITIONS)
    const folder = temporaryFolder()
    const events = join(folder, 'events.json')
    await Promise.all([loadGenerated(topic, load), writeEvents(events, load)])
    let endpoint = inject('s3').endpoint
    const seed = Math.floor(Math.random() * 1e9)
    if (faulty) {
      const proxy = await startFaultProxy({ target: endpoint, fault: threeOfTenFail(seed) })
      onTestFinished(() => proxy.stop())
      endpoint = proxy.endpoint
    }
    const prefix = uniqueName('kills')
    const env = {
      ...s3Environment(endpoint),
      // ten failures in a row, the default patience, come about once in 20 runs of thousands of requests
      MILLRACE_S3_MAX_ATTEMPTS: '20',
      MILLRACE_REDIS_URL: inject('redisUrl'),
      TOPIC: topic,
    }
    const client = plainS3Client()
    onTestFinished(() => client.destroy())

    const duck = await openDuck()
    onTestFinished(() => duck.close())
    await duck.query('CREATE TABLE seen (p INTEGER, o BIGINT)')
    const lister = new Lister(client, `${prefix}/raw/`, await mkdtemp(join(folder, 'lister-')), duck)
    const looking = { on: true }
    const looks = (async () => {
      while (looking.on) {
        await lister.look()
        await sleep(LOOK_EVERY_MS)
      }
    })()
    const root = `s3://millrace/${prefix}`
    const flags = ['--available-now', '--flush', '--root', root]
    // slow enough that none of five runs comes to its end before it is killed
    const slowly = ['--set', `backpressure.maxRate=${maxRate}`]
    const delays: number[] = []
    for (const workers of ['2', '1', '3', '2', '4']) {
      const run = startCli(['run', pipelineFile('plays'), ...flags, ...slowly, '--workers', workers], env)
      await run.printed(/batch/)
      const delay = Math.floor(Math.random() * 1200)
      delays.push(delay)
      await sleep(delay)
      run.process.kill('SIGKILL')
      expect((await run.ended).signal, `killed ${delay} ms after its first batch`).toBe('SIGKILL')
    }
    const last = await runCli(['run', pipelineFile('plays-changed'), ...flags, '--workers', '1'], env)
    // the driver that was killed last may still hold its lease in Redis; that is said, and nothing else
    for (const line of last.stderr.split('\n')) expect(line).toMatch(/^$|^warning: DRIVER_RUNNING: /)
    expect(last.code).toBe(0)
    looking.on = false
    await looks
    await lister.look()
    console.log(`killed ${delays.join(', ')} ms after the first batch; seed ${seed}; ${lister.looks} looks`)

    const [landed] = await duck.query(
      'SELECT count(*) AS rows, count(DISTINCT (p, o)) AS distinct_rows, max(o) AS last FROM seen',
    )
    const rows = BigInt(PARTITIONS * rowsPerPartition)
    expect(landed).toEqual({ rows, distinct_rows: rows, last: BigInt(rowsPerPartition - 1) })

    const columns =
      "columns = {event_type: 'VARCHAR', event_time: 'BIGINT', content_id: 'INTEGER', watch_duration: 'DOUBLE'}"
    await duck.query(
      `CREATE TABLE events AS SELECT * FROM read_json('${events}', format = 'newline_delimited', ${columns})`,
    )
    const files = await download(client, await listKeys(client, `${prefix}/trending/`), folder)
    const list = files.map(file => `'${file}'`).join(', ')
    const ours = `SELECT window_start::TIMESTAMP, content_id, plays, watched FROM read_parquet([${list}], hive_partitioning = false)`
    const theirs = WINDOWS('events')
    expect(await missing(duck, theirs, ours)).toBe(0n)
    expect(await missing(duck, ours, theirs)).toBe(0n)

    // what dead drivers had uploaded for batches that others committed is dropped by the next start
    expect((await runCli(['run', pipelineFile('plays'), ...flags], env)).code).toBe(0)
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: 'millrace', Prefix: prefix }))
    expect(Uploads.map(({ Key }) => Key)).toEqual([])
  })
})
