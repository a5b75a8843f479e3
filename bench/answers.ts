import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { openDuck, type SqlRow } from '../test/support/duckdb.ts'
import { writeEvents } from '../test/support/events-file.ts'
import type { Job } from './jobs.ts'
import type { BenchTopic } from './topics.ts'

const COLUMNS = `columns = {event_id: 'VARCHAR', event_type: 'VARCHAR', event_time: 'BIGINT', account_id: 'BIGINT',
  profile_id: 'BIGINT', content_id: 'INTEGER', title: 'VARCHAR', country: 'VARCHAR', device: 'JSON',
  watch_duration: 'DOUBLE', bitrate: 'INTEGER', session_id: 'VARCHAR', position_ms: 'BIGINT', is_live: 'BOOLEAN',
  context: 'JSON'}`

/** One row for a table of any size: how many rows, and a sum of hashes that does not depend on their order. */
const fingerprint = (columns: string, from: string): string =>
  `SELECT count(*) AS rows, sum(hash(${columns})::HUGEINT) AS hashes FROM ${from}`

const WINDOW = 'window_start, content_id, plays, watched'
const EVENT = `event_id, event_type, event_time, account_id, profile_id, content_id, title, country, device::VARCHAR,
  watch_duration, bitrate, session_id, position_ms, is_live`
const landedColumns = ({ size }: BenchTopic): string => (size === 'small' ? EVENT : `${EVENT}, context::VARCHAR`)

/** What DuckDB, which never saw the topic, computes from the same events in a file. */
const QUESTIONS: Readonly<Record<Job, (topic: BenchTopic) => string>> = {
  drain: () => 'SELECT count(*) AS events FROM events',
  window: () =>
    fingerprint(
      WINDOW,
      `(SELECT (event_time // 10000) * 10000 AS window_start, content_id, count(*)::BIGINT AS plays,
          sum(watch_duration) AS watched FROM events GROUP BY 1, 2)`,
    ),
  land: topic => fingerprint(`${landedColumns(topic)}, event_time // 3600000`, 'events'),
  lambda:
    () => `SELECT country, count(*) AS plays, sum(CASE WHEN content_id % 2 = 0 THEN watch_duration ELSE 60 END) AS seconds
      FROM events WHERE event_type = 'play' AND country != 'US' AND watch_duration > 60 GROUP BY 1 ORDER BY 1`,
}

export type Answer = string

const asAnswer = (rows: readonly SqlRow[]): Answer =>
  JSON.stringify(rows.map(row => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, String(value)]))))

/** The right answers of all jobs over a topic. */
export const expectedAnswers = async (topic: BenchTopic, folder: string): Promise<Readonly<Record<Job, Answer>>> => {
  const file = join(folder, `${topic.name}.json`)
  process.stderr.write(`Asking DuckDB for the answers over ${topic.name} …\n`)
  await writeEvents(file, topic.load)
  const duck = await openDuck()
  try {
    await duck.query(
      `CREATE VIEW events AS SELECT * FROM read_json('${file}', format = 'newline_delimited', ${COLUMNS})`,
    )
    const ask = async (job: Job): Promise<Answer> => asAnswer(await duck.query(QUESTIONS[job](topic)))
    return {
      drain: await ask('drain'),
      window: await ask('window'),
      land: await ask('land'),
      lambda: await ask('lambda'),
    }
  } finally {
    duck.close()
    rmSync(file)
  }
}

/** What a run of a job answered: its tables, or the rows that it printed last. */
export const answerOf = async (job: Job, topic: BenchTopic, root: string, stdout: string): Promise<Answer> => {
  if (job === 'drain') return asAnswer(lastRows(stdout, () => ''))
  if (job === 'lambda') {
    const rows = lastRows(stdout, row => String(row['country']))
    return asAnswer(rows.toSorted((a, b) => (String(a['country']) < String(b['country']) ? -1 : 1)))
  }
  const duck = await openDuck()
  try {
    return asAnswer(await duck.query(job === 'window' ? windowsIn(root) : landedIn(root, topic)))
  } finally {
    duck.close()
  }
}

const windowsIn = (root: string): string =>
  fingerprint(
    WINDOW,
    `(SELECT epoch_ms(window_start) AS window_start, content_id, plays, watched
        FROM read_parquet('${root}/windows/**/*.parquet', hive_partitioning = false))`,
  )

/** Rows of the table with the hour that their folder names. */
const landedIn = (root: string, topic: BenchTopic): string =>
  fingerprint(
    `${landedColumns(topic)}, epoch_ms(strptime(date || ' ' || hour, '%Y-%m-%d %H')) // 3600000`,
    `(SELECT * REPLACE (epoch_ms(event_time) AS event_time)
        FROM read_parquet('${root}/plays/**/*.parquet', hive_partitioning = true, hive_types_autocast = false))`,
  )

/** The newest row of each key among the rows that a console sink printed, batch by batch. */
const lastRows = (stdout: string, keyOf: (row: SqlRow) => string): readonly SqlRow[] => {
  const newest = new Map<string, SqlRow>()
  for (const line of stdout.split('\n')) {
    if (!line.startsWith('{"sink"')) continue
    const { rows } = JSON.parse(line) as { readonly rows: readonly SqlRow[] }
    for (const row of rows) newest.set(keyOf(row), row)
  }
  return [...newest.values()]
}
