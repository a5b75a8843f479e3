import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Duck, openDuck } from '../test/support/duckdb.ts'
import type { Objects } from './bucket.ts'
import { BAD_EVERY, truthOf } from './events.ts'
import type { SeenView } from './view-reader.ts'

/** How what was landed differs from what was sent: all zero in the end. */
export interface Verdict {
  readonly rows: number
  readonly lost: number
  readonly duplicated: number
  readonly reordered: number
  readonly altered: number
  /** Rows that were never sent. */
  readonly invented: number
  readonly wrongDeadLetters: number
  readonly wrongWindows: number
  readonly wrongViewRows: number
}

export interface Landed {
  readonly bucket: Objects
  readonly prefix: string
  /** Where files are put to be read. */
  readonly folder: string
  readonly view: SeenView | null
}

/** Compares everything that was landed with the rows that were sent (how many to each partition). Knows nothing of Millrace's code. */
export const verify = async (landed: Landed, sent: readonly number[]): Promise<Verdict> => {
  const duck = await openDuck()
  try {
    await duck.query("SET memory_limit = '4GB'")
    const [raw, deadLetters, windows] = [
      await tableOf(landed, 'raw', 'union_by_name = true, filename = true, file_row_number = true'),
      await tableOf(landed, 'dead_letters/soak', 'union_by_name = true'),
      await tableOf(landed, 'windows', 'union_by_name = true'),
    ]
    await duck.query(`CREATE TABLE sent AS ${truthOf(sent)}`)
    await duck.query(`CREATE TABLE landed AS SELECT *, "partition"::BIGINT AS p, "offset"::BIGINT AS o FROM ${raw}`)
    const count = async (sql: string): Promise<number> => Number((await duck.query(sql))[0]?.['n'])
    return {
      rows: await count('SELECT count(*) AS n FROM landed'),
      lost: await count('SELECT count(*) AS n FROM sent ANTI JOIN landed USING (p, o)'),
      invented: await count('SELECT count(*) AS n FROM landed ANTI JOIN sent USING (p, o)'),
      duplicated: await count('SELECT count(*) - count(DISTINCT (p, o)) AS n FROM landed'),
      reordered: await count(REORDERED),
      altered: await count(`SELECT count(*) AS n FROM landed JOIN sent USING (p, o) WHERE NOT (${await same(duck)})`),
      wrongDeadLetters: await difference(
        duck,
        `SELECT "partition"::BIGINT AS p, "offset"::BIGINT AS o, decode(value) AS value FROM ${deadLetters}`,
        sent
          .map((rows, p) => `SELECT ${p}::BIGINT AS p, range AS o, 'no json ' || range AS value FROM range(0, ${rows})`)
          .map(sql => `${sql} WHERE (range + 1) % ${BAD_EVERY} = 0`)
          .join(' UNION ALL '),
      ),
      wrongWindows: await difference(
        duck,
        `SELECT epoch_ms(window_start::TIMESTAMP) AS w, kind::BIGINT AS kind, events::HUGEINT AS events, total::HUGEINT AS total FROM ${windows}`,
        `SELECT time // 10000 * 10000 AS w, kind::BIGINT AS kind, count(*)::HUGEINT AS events, sum(amount)::HUGEINT AS total FROM sent GROUP BY 1, 2`,
      ),
      wrongViewRows: await wrongViewRows(duck, landed.view),
    }
  } finally {
    duck.close()
  }
}

const REORDERED = `
  SELECT count(*) AS n FROM (
    SELECT o, lag(o) OVER (PARTITION BY filename, p ORDER BY file_row_number) AS before FROM landed
  ) WHERE before >= o`

/** Every column of a landed row is what was sent; the two versions of the pipeline differ in `code` and `tripled`. */
const same = async (duck: Duck): Promise<string> => {
  const columns = await duck.query('DESCRIBE landed')
  const tripled = columns.some(({ column_name: name }) => name === 'tripled') ? 'landed.tripled' : 'NULL'
  return `landed.seq = sent.seq AND epoch_ms(landed.time::TIMESTAMP) = sent.time AND landed.user = sent.usr
    AND landed.kind = sent.kind AND landed.amount = sent.amount AND landed.note = sent.note
    AND CASE WHEN ${tripled} IS NULL THEN landed.code = sent.usr % 7
             ELSE landed.code = sent.usr % 11 AND ${tripled} = sent.usr * 3 END`
}

/** What a table without files is read as: everything is missing. */
const EMPTY = `(SELECT 0 AS partition, 0 AS "offset", ''::BLOB AS value, NULL::TIMESTAMP AS window_start, 0 AS kind, 0 AS events,
  0 AS total, 0 AS seq, NULL::TIMESTAMP AS time, 0 AS user, 0 AS amount, '' AS note, 0 AS code, '' AS filename, 0 AS file_row_number
  WHERE false)`

/** Files of a table as DuckDB reads them. */
const tableOf = async ({ bucket, prefix, folder }: Landed, table: string, options: string): Promise<string> => {
  const keys = await bucket.list(`${prefix}${table}/`)
  const there = new Set(readdirSync(folder))
  await bucket.download(
    keys.filter(key => !there.has(key.replaceAll('/', '_'))),
    folder,
  )
  const paths = keys.map(key => `'${join(folder, key.replaceAll('/', '_'))}'`)
  if (paths.length === 0) return EMPTY
  return `read_parquet([${paths.join(', ')}], ${options})`
}

/** Rows that are only in the one or only in the other. */
const difference = async (duck: Duck, one: string, other: string): Promise<number> => {
  const [row] = await duck.query(
    `SELECT (SELECT count(*) FROM ((${one}) EXCEPT ALL (${other}))) + (SELECT count(*) FROM ((${other}) EXCEPT ALL (${one}))) AS n`,
  )
  return Number(row?.['n'])
}

const wrongViewRows = async (duck: Duck, view: SeenView | null): Promise<number> => {
  if (view === null) return Number.NaN
  const rows = view.rows.map(({ kind, events, total }) => `(${kind}, ${events}, ${total})`)
  const shown = `SELECT kind::BIGINT AS kind, events::HUGEINT AS events, total::HUGEINT AS total
    FROM (VALUES ${rows.join(', ')}) AS shown (kind, events, total)`
  return difference(
    duck,
    shown,
    'SELECT kind::BIGINT AS kind, count(*)::HUGEINT AS events, sum(amount)::HUGEINT AS total FROM sent GROUP BY 1',
  )
}
