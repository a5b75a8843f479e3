import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { openDuck } from '../support/duckdb.ts'
import { pipelineFile, runCli, startCli, temporaryFolder } from './support/cli.ts'
import { ownRedis, until } from './support/redis.ts'

interface Answer {
  readonly complete: boolean
  readonly hours: readonly { readonly hour: string; readonly source: string; readonly generation?: number }[]
  readonly live: { readonly status: string; readonly batch: number; readonly newestBatch: number }
  readonly rows: readonly Readonly<Record<string, string | number | null>>[]
  readonly error?: { readonly code: string; readonly message: string; readonly remedy: string }
}

const HOURS = ['2026-01-15T10', '2026-01-15T11', '2026-01-15T12']

/** What DuckDB answers from the landed rows. */
const windowsOf = async (root: string) => {
  const duck = await openDuck()
  const rows = await duck.query(`
    SELECT epoch_ms(event_time) // 600000 * 600000 AS start, country, count(*)::INTEGER AS plays,
      sum(position_ms)::DOUBLE AS watched
    FROM read_parquet('${root}/raw/**/*.parquet') GROUP BY ALL ORDER BY start, country`)
  duck.close()
  return rows.map(({ start, country, plays, watched }) => ({
    window_start: new Date(Number(start)).toISOString(),
    window_end: new Date(Number(start) + 600_000).toISOString(),
    country: country as string,
    plays: plays as number,
    watched: watched as number | null,
  }))
}

const byWindow = (rows: Answer['rows']) =>
  rows.toSorted((a, b) => (`${a['window_start']} ${a['country']}` < `${b['window_start']} ${b['country']}` ? -1 : 1))

it('closed hours come from their batch results, open ones from the live view, and together they are what DuckDB answers', async () => {
  const server = await ownRedis()
  const root = temporaryFolder()
  const env = { MILLRACE_REDIS_URL: server.url }
  const args = [pipelineFile('merged'), '--root', root] as const
  const run = startCli(
    ['run', ...args, '--listen', '127.0.0.1:0', '--workers', '1', '--json', '--set', 'batch.enabled=false'],
    env,
  )
  onTestFinished(() => void run.process.kill('SIGKILL'))
  let url = ''
  run.process.stdout?.on('data', (text: string) => (url ||= /"url":"([^"]+)"/.exec(text)?.[1] ?? ''))
  await run.printed(/"kind":"listening"/)
  const ask = async (path: string) => {
    const reply = await fetch(`${url}${path}`)
    return { status: reply.status, answer: (await reply.json()) as Answer }
  }
  const overall = async () =>
    (await ask('/views/overall')).answer.rows.reduce((sum, row) => sum + Number(row['plays']), 0)
  await until(async () => (await overall()) === 10_000, 60_000)
  const range = `from=${HOURS[0]}&to=2026-01-15T13`
  const before = await ask(`/views/trending?${range}`)
  expect(before.answer.hours.map(({ source }) => source)).toEqual(['live', 'live', 'live'])

  const backfill = await runCli(['backfill', ...args, '--from', '2026-01-15T10', '--to', '2026-01-15T12'], env)
  expect(backfill.code, backfill.stderr).toBe(0)
  const expected = await windowsOf(root)
  const { status, answer } = await ask(`/views/trending?${range}`)
  expect(status).toBe(200)
  expect(answer.hours).toMatchObject([
    { hour: HOURS[0], source: 'batch', generation: 1 },
    { hour: HOURS[1], source: 'batch', generation: 1 },
    { hour: HOURS[2], source: 'live' },
  ])
  expect(answer).toMatchObject({ complete: true, live: { status: 'live' } })
  expect(answer.live.batch).toBe(answer.live.newestBatch)
  expect(byWindow(answer.rows)).toEqual(expected)
  expect(byWindow(before.answer.rows)).toEqual(expected)

  const german = await ask(`/views/trending?${range}&key=DE`)
  expect(german.answer.rows).toEqual(expected.filter(({ country }) => country === 'DE'))
  const part = await ask('/views/trending?from=2026-01-15T11:30&to=2026-01-15T12:10:00Z')
  const within = expected.filter(row => row.window_start >= '2026-01-15T11:30' && row.window_start < '2026-01-15T12:10')
  expect(byWindow(part.answer.rows)).toEqual(within)
  const totals = new Map<string, number>()
  for (const { country, plays } of expected) totals.set(country, (totals.get(country) ?? 0) + plays)
  const best = [...totals.values()].toSorted((a, b) => b - a).slice(0, 3)
  const top = await ask(`/views/trending?${range}&top=3`)
  expect(top.answer.rows.map(row => row['plays'])).toEqual(best)
  for (const row of top.answer.rows) expect(row['plays']).toBe(totals.get(row['country'] as string))
  const open = await ask('/views/trending')
  expect(open.answer.hours.at(-1)).toMatchObject({ source: 'live' })
  expect(open.answer.rows.length).toBeGreaterThan(0)

  expect(await ask('/views')).toMatchObject({ status: 200, answer: { views: ['trending', 'overall'] } })
  for (const [path, wanted] of [
    ['/views/nobody', 404],
    ['/views/..%2f..%2fetc%2fpasswd', 404],
    ['/views/trending?top=0', 400],
    ['/views/trending?from=2026-01-15T12&to=2026-01-15T10', 400],
    ['/views/overall?from=2026-01-15T12', 400],
  ] as const) {
    const { status: code, answer: refusal } = await ask(path)
    expect(code, path).toBe(wanted)
    expect(refusal.error?.remedy, path).toMatch(/./)
  }

  await server.kill()
  const away = await ask(`/views/trending?${range}`)
  expect(away.answer).toMatchObject({ complete: false, live: { status: 'away' } })
  expect(away.answer.hours.map(({ source }) => source)).toEqual(['batch', 'batch', 'none'])
  expect(byWindow(away.answer.rows)).toEqual(expected.filter(row => row.window_start < '2026-01-15T12'))
  expect((await ask('/views/overall')).status).toBe(503)
  await server.restart()

  rmSync(join(root, '_generations'), { recursive: true })
  await until(async () => (await ask('/views/overall')).status === 200)
  const damaged = await ask(`/views/trending?${range}`)
  expect(damaged).toMatchObject({ status: 503, answer: { error: { code: 'STORE_FAILED' } } })
  run.process.kill('SIGTERM')
  expect((await run.ended).code).toBe(0)
})
