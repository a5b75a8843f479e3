import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { BatchFollower, CRASH_POINTS, storeStep } from '../../../soak/crash-points.ts'
import { PARTITIONS, truthOf, valueOf } from '../../../soak/events.ts'
import { Folder } from '../../../soak/folder.ts'
import { drawBlows } from '../../../soak/kills.ts'
import { Lister } from '../../../soak/lister.ts'
import { OffsetSet } from '../../../soak/offset-set.ts'
import { quantile } from '../../../soak/report.ts'
import { verify } from '../../../soak/verifier.ts'
import type { SeenView, ViewReader } from '../../../soak/view-reader.ts'
import { type Duck, openDuck } from '../../support/duckdb.ts'

const SENT = [20_500, 300, 300, 300]
const ROW = `SELECT p::INTEGER AS partition, o AS "offset", seq, make_timestamp(time * 1000) AS time, usr::INTEGER AS user,
  kind::INTEGER AS kind, amount, note, (usr % 7)::INTEGER AS code FROM truth`
const WINDOWS = `SELECT make_timestamp(time // 10000 * 10000000) AS window_start, kind, count(*) AS events, sum(amount)::BIGINT AS total
  FROM truth GROUP BY 1, 2`
const DEAD = `SELECT 0 AS partition, 19999::BIGINT AS "offset", encode('no json 19999') AS value`

/** What a pipeline lands that makes no mistake, with statements that plant some. */
const landed = async (plant: (duck: Duck, file: (table: string, name: string) => string) => Promise<unknown>) => {
  const root = mkdtempSync(join(tmpdir(), 'millrace-soak-test-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  for (const table of ['raw', 'windows', 'dead_letters/soak', 'read']) mkdirSync(join(root, table), { recursive: true })
  const file = (table: string, name: string): string => join(root, table, `${name}.parquet`)
  const duck = await openDuck()
  onTestFinished(() => duck.close())
  await duck.query(`CREATE TABLE truth AS ${truthOf(SENT)}`)
  for (let p = 0; p < PARTITIONS; p += 1) {
    await duck.query(`COPY (${ROW} WHERE p = ${p} ORDER BY o) TO '${file('raw', `part-${p}`)}'`)
  }
  await duck.query(`COPY (${WINDOWS}) TO '${file('windows', 'part-0')}'`)
  await duck.query(`COPY (${DEAD}) TO '${file('dead_letters/soak', 'part-0')}'`)
  await plant(duck, file)
  const kinds = await duck.query('SELECT kind, count(*) AS events, sum(amount) AS total FROM truth GROUP BY 1')
  const rows = kinds.map(row => ({
    kind: Number(row['kind']),
    events: Number(row['events']),
    total: Number(row['total']),
  }))
  const view: SeenView = { batch: 0, events: 0, rows }
  return {
    root,
    verdict: await verify({ bucket: new Folder(root), prefix: '', folder: join(root, 'read'), view }, SENT),
  }
}

const RIGHT = {
  rows: 21_399,
  lost: 0,
  duplicated: 0,
  reordered: 0,
  altered: 0,
  invented: 0,
  wrongDeadLetters: 0,
  wrongWindows: 0,
  wrongViewRows: 0,
}
const again = (duck: Duck, to: string, from: string) => duck.query(`COPY (${ROW} ${from}) TO '${to}'`)

describe('the verifier of a soak', () => {
  it.each<[string, Parameters<typeof landed>[0], Partial<typeof RIGHT>]>([
    ['nothing where all is right', async () => undefined, {}],
    [
      'rows that are missing',
      (duck, file) => again(duck, file('raw', 'part-1'), 'WHERE p = 1 AND o >= 7 ORDER BY o'),
      { rows: 21_392, lost: 7 },
    ],
    [
      'rows that are there twice',
      (duck, file) => again(duck, file('raw', 'part-9'), 'WHERE p = 2 AND o < 5 ORDER BY o'),
      { rows: 21_404, duplicated: 5 },
    ],
    [
      'rows that changed places',
      (duck, file) =>
        again(duck, file('raw', 'part-1'), 'WHERE p = 1 ORDER BY CASE o WHEN 8 THEN 9 WHEN 9 THEN 8 ELSE o END'),
      { reordered: 1 },
    ],
    [
      'rows that changed',
      (duck, file) =>
        duck.query(
          `COPY (SELECT * REPLACE (amount + (partition = 3 AND "offset" < 4)::BIGINT AS amount) FROM (${ROW} WHERE p = 3 ORDER BY o)) TO '${file('raw', 'part-3')}'`,
        ),
      { altered: 4 },
    ],
    [
      'rows that were never sent',
      (duck, file) =>
        duck.query(
          `COPY (SELECT * REPLACE ("offset" + 300 AS "offset") FROM (${ROW} WHERE p = 3 AND o = 1)) TO '${file('raw', 'part-9')}'`,
        ),
      { rows: 21_400, invented: 1 },
    ],
    [
      'a table that is not there',
      async (_, file) => rmSync(dirname(file('dead_letters/soak', 'part-0')), { recursive: true }),
      { wrongDeadLetters: 1 },
    ],
    [
      'a wrong window',
      (duck, file) =>
        duck.query(
          `COPY (SELECT * REPLACE (events + (kind = 7)::BIGINT AS events) FROM (${WINDOWS})) TO '${file('windows', 'part-0')}'`,
        ),
      { wrongWindows: expect.any(Number) as number },
    ],
    [
      'a dead letter too many',
      (duck, file) => duck.query(`COPY (${DEAD}) TO '${file('dead_letters/soak', 'part-1')}'`),
      { wrongDeadLetters: 1 },
    ],
  ])('finds %s', async (_, plant, found) => {
    const { verdict } = await landed(plant)
    expect(verdict).toEqual({ ...RIGHT, ...found })
    if ('wrongWindows' in found) expect(verdict.wrongWindows).toBeGreaterThan(0)
  })

  it('knows the rows that the generator sends', async () => {
    const duck = await openDuck()
    onTestFinished(() => duck.close())
    const rows = await duck.query(`SELECT p, o, seq, time, usr AS user, kind, amount, note FROM (${truthOf(SENT)})`)
    for (const { p, o, ...columns } of rows.filter((_, at) => at % 17 === 0)) {
      const numbers = Object.entries(columns).map(([name, value]) => [
        name,
        typeof value === 'bigint' ? Number(value) : value,
      ])
      expect(JSON.parse(valueOf(Number(p), Number(o)))).toEqual(Object.fromEntries(numbers))
    }
    expect(() => JSON.parse(valueOf(0, 19_999)) as unknown).toThrow()
  })
})

describe('the lister of a soak', () => {
  const commit = (root: string, batch: number, files: readonly string[]): void => {
    const folder = join(root, '_checkpoints', 'soak', 'gen-0001', 'commits')
    mkdirSync(folder, { recursive: true })
    const receipts = files.map(key => ({ sink: 'raw', receipt: { staged: [{ key: `raw/${key}` }] } }))
    const partitions = SENT.map((offset, partition) => ({ partition, offset }))
    const entry = { batchId: batch, partitions, receipts }
    writeFileSync(join(folder, `${String(batch).padStart(12, '0')}.json`), JSON.stringify({ format: 1, entry }))
  }

  const sees = async (root: string, view: SeenView | null, meanwhile: () => void = () => undefined) => {
    const reader = { read: async () => view } as unknown as ViewReader
    const lister = new Lister(new Folder(root), '', mkdtempSync(join(root, 'seen-')), reader)
    lister.start()
    await expect.poll(() => lister.sightings.looks).toBeGreaterThan(1)
    meanwhile()
    await lister.stop()
    return lister.sightings
  }

  it('finds rows twice, files that no commit lists, files that go, and a view that is ahead', async () => {
    const { root } = await landed((duck, file) =>
      again(duck, file('raw', 'part-9'), 'WHERE p = 2 AND o < 5 ORDER BY o'),
    )
    const files = readdirSync(join(root, 'raw'))
    commit(root, 0, files)
    const view = { batch: 0, events: RIGHT.rows, rows: [] }
    expect(await sees(root, view)).toMatchObject({
      rowsSeen: 21_404,
      seenTwice: 5,
      uncommitted: 0,
      gone: 0,
      wrongViews: 0,
    })
    commit(root, 0, files.slice(1))
    const seen = await sees(root, { ...view, events: RIGHT.rows + 1 }, () =>
      rmSync(join(root, 'raw', 'part-9.parquet')),
    )
    expect(seen).toMatchObject({ uncommitted: 1, gone: 1 })
    expect(seen.wrongViews).toBe(seen.viewLooks)
  })

  it('counts a view of a batch that is not committed as wrong, and none while it is rebuilt', async () => {
    const { root } = await landed(async () => undefined)
    commit(root, 0, readdirSync(join(root, 'raw')))
    const ahead = await sees(root, { batch: 1, events: RIGHT.rows, rows: [] })
    expect(ahead.wrongViews).toBe(ahead.viewLooks)
    expect(await sees(root, null)).toMatchObject({ viewLooks: 0, wrongViews: 0 })
  })
})

describe('the crash points of a soak', () => {
  const KEY = '/millrace/soak/'
  const step = (method: string, path: string) => storeStep(method, `${KEY}${path}`)

  it('are told by method and address', () => {
    expect(step('PUT', '_checkpoints/soak/gen-0001/offsets/000000000007.json?x-id=PutObject')).toBe('plan')
    expect(step('GET', '_checkpoints/soak/gen-0001/offsets/000000000007.json')).toBe('other')
    expect(step('PUT', '_checkpoints/soak/gen-0001/commits/000000000007.json')).toBe('commit')
    expect(step('POST', 'raw/part.parquet?uploads=')).toBe('begin')
    expect(step('PUT', 'raw/part.parquet?partNumber=1&uploadId=u')).toBe('part')
    expect(step('POST', 'raw/part.parquet?uploadId=u')).toBe('complete')
    expect(step('DELETE', 'raw/part.parquet?uploadId=u')).toBe('other')
  })

  it('come in their order in each batch', () => {
    const follower = new BatchFollower()
    const batch = (): readonly (string | null)[] => [
      follower.arrived('plan'),
      follower.done('plan'),
      follower.arrived('begin'),
      follower.arrived('begin'),
      follower.done('begin'),
      follower.done('begin'),
      follower.arrived('part'),
      follower.done('part'),
      follower.done('part'),
      follower.arrived('commit'),
      follower.done('commit'),
      follower.arrived('complete'),
      follower.arrived('complete'),
      follower.done('complete'),
      follower.done('complete'),
    ]
    const points = ['c1', 'c2', 'c4', 'c5', 'c6', 'c7', 'c8', 'c9']
    expect(batch().filter(point => point !== null)).toEqual(points)
    expect(batch().filter(point => point !== null)).toEqual(points)
  })

  it('are each struck as often as the others', () => {
    let drawn = 0
    const chance = (): number => ((drawn += 7) % 100) / 100
    const blows = drawBlows(40, 10, ['store down'], chance)
    const times = (wanted: string): number => blows.filter(({ point }) => point === wanted).length
    expect(times('random')).toBe(10)
    for (const point of Object.keys(CRASH_POINTS)) expect(times(point)).toBe(4)
    expect(blows.filter(({ fault }) => fault !== null).length).toBe(8)
  })

  it('are summed up by quantiles', () => {
    const numbers = Array.from({ length: 100 }, (_, at) => 100 - at)
    expect([quantile(numbers, 0.5), quantile(numbers, 0.99), quantile(numbers, 1)]).toEqual([50, 99, 100])
    expect(quantile([], 0.5)).toBeNaN()
  })

  it('need a set of offsets that grows', () => {
    const set = new OffsetSet()
    expect([0, 5_000_000, 0, 5_000_000, 7].map(offset => set.add(offset))).toEqual([true, true, false, false, true])
  })
})
