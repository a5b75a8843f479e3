import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Duck, openDuck } from '../support/duckdb.ts'
import { writeEvents } from '../support/events-file.ts'
import { pipelineFile, runCli, temporaryFolder } from './support/cli.ts'
import { loadGenerated } from './support/load-topic.ts'
import { createTopic } from './support/topics.ts'

const windowsOf = (events: string): string => `
  SELECT epoch_ms((event_time // 10000) * 10000) AS window_start, content_id, count(*) AS plays, sum(watch_duration) AS watched
  FROM ${events} WHERE event_type = 'play' GROUP BY 1, 2`

/** Rows of `one` that `other` lacks or holds less often. */
const missing = async (duck: Duck, one: string, other: string): Promise<bigint> => {
  const [row] = await duck.query(`SELECT count(*) AS rows FROM ((${one}) EXCEPT ALL (${other}))`)
  return row?.['rows'] as bigint
}

describe('a backlog is drained exactly once, and every window equals what DuckDB computes from the same events', () => {
  it.each([
    { size: 'small', rowsPerPartition: 500_000 },
    { size: 'large', rowsPerPartition: 150_000 },
  ] as const)('$size events, 4 partitions of $rowsPerPartition, lz4', async ({ size, rowsPerPartition }) => {
    const load = { partitions: 4, rowsPerPartition, size, compression: 'lz4' } as const
    const topic = await createTopic(4)
    const root = temporaryFolder()
    const file = join(root, 'events.json')
    await Promise.all([loadGenerated(topic, load), writeEvents(file, load)])

    const args = ['run', pipelineFile('plays'), '--available-now', '--flush', '--root', root]
    const { code, stderr } = await runCli(args, { TOPIC: topic })
    expect(stderr).toBe('')
    expect(code).toBe(0)

    const duck = await openDuck()
    const columns =
      "columns = {event_type: 'VARCHAR', event_time: 'BIGINT', content_id: 'INTEGER', watch_duration: 'DOUBLE', position_ms: 'BIGINT'}"
    await duck.query(
      `CREATE TABLE events AS SELECT * FROM read_json('${file}', format = 'newline_delimited', ${columns})`,
    )
    const ours = `SELECT window_start::TIMESTAMP, content_id, plays, watched FROM read_parquet('${root}/trending/**/*.parquet')`
    const theirs = windowsOf('events')
    expect(await missing(duck, theirs, ours)).toBe(0n)
    expect(await missing(duck, ours, theirs)).toBe(0n)

    const landed = `read_parquet('${root}/raw/**/*.parquet', hive_partitioning = false)`
    const rows = BigInt(4 * rowsPerPartition)
    const [sums] = await duck.query(`
      SELECT count(*) AS rows, count(DISTINCT (partition, "offset")) AS distinct_rows, sum(position_ms) AS positions,
        sum(watch_duration) AS watched, (SELECT sum(position_ms) FROM events) AS all_positions,
        (SELECT sum(watch_duration) FROM events) AS all_watched FROM ${landed}`)
    expect(sums?.['rows']).toBe(rows)
    expect(sums?.['distinct_rows']).toBe(rows)
    expect(sums?.['positions']).toEqual(sums?.['all_positions'])
    expect(sums?.['watched']).toEqual(sums?.['all_watched'])
    duck.close()
  })
})
