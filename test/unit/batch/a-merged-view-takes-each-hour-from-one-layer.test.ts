import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HOUR_MS } from '../../../src/base/hours.ts'
import { type EpochMs, epochMs } from '../../../src/base/units.ts'
import { rangeOf, sourcesOf, topGroups } from '../../../src/batch/merged-view/merge-view.ts'
import { readViewQuery, type ServedView, servedView } from '../../../src/batch/merged-view/view-query.ts'
import { computedKeys, wantedKey, wantedRow } from '../../../src/batch/merged-view/wanted-keys.ts'
import { avg, count, max, min, sum } from '../../../src/pipeline/aggregates.ts'
import { describePlan } from '../../../src/pipeline/describe-plan.ts'
import { json } from '../../../src/pipeline/formats.ts'
import { pipeline } from '../../../src/pipeline/pipeline.ts'
import type { PipelinePlan } from '../../../src/pipeline/plan.ts'
import { schema } from '../../../src/pipeline/schema.ts'
import { parquet } from '../../../src/pipeline/sinks.ts'
import { datagen } from '../../../src/pipeline/sources.ts'
import { redisView, requireViewTables } from '../../../src/pipeline/views.ts'
import { tumbling } from '../../../src/pipeline/windows.ts'
import { type ReadRow, readHashRow, readJsonRow } from '../../../src/sinks/view/read-row.ts'
import { rowText } from '../../../src/sinks/view/view-values.ts'
import { schemaOf } from '../sinks/fixtures/batches.ts'

const Play = schema({ event_time: 'timestamp', id: 'int32', country: 'string', n: 'int64' })
const rows = pipeline('views').from(datagen(), json(Play))
const counts = (size: '10m' | '1h' = '10m', from = rows) =>
  from
    .window(tumbling(size), { eventTime: 'event_time', watermark: '1m' })
    .groupBy('country', 'id')
    .aggregate({ plays: count(), total: sum('n'), least: min('n'), most: max('n') })
const ranked = counts()
  .outputMode('update')
  .to(redisView('plays', { top: { by: 'plays', n: 3 } }))

const viewOf = (plan: PipelinePlan): ServedView => {
  const [branch] = plan.branches
  const node = branch?.sinks.find(sink => sink.kind === 'redisView')
  if (branch === undefined || node?.kind !== 'redisView') throw new Error('the plan has no view')
  return servedView(node, branch)
}
const VIEW = viewOf(ranked)
const OVERALL = viewOf(rows.groupBy('id').aggregate({ plays: count() }).to(redisView('overall')))
const AT = Date.UTC(2026, 0, 15, 10)
const hour = (after: number): EpochMs => epochMs(AT + after * HOUR_MS)
const closed = (...hours: readonly number[]) =>
  hours.map(after => ({ hour: hour(after), generation: 3, committedAt: epochMs(7), files: [] }))
const query = (text: string, view = VIEW) => readViewQuery(view, new URLSearchParams(text))

describe('each hour', () => {
  const sources = (live: Parameters<typeof sourcesOf>[2], ...hours: readonly number[]) =>
    sourcesOf({ from: hour(0), until: hour(3) }, closed(...hours), live).map(({ source }) => source)

  it('comes from its batch result when it is closed, from the live view while it is open', () => {
    expect(sources({ watermark: epochMs(hour(2) + 1) }, 0, 1, 2)).toEqual(['batch', 'batch', 'live'])
    expect(sources({ watermark: hour(2) }, 0, 1)).toEqual(['batch', 'batch', 'live'])
    expect(sources({ watermark: epochMs(hour(2) - 1) }, 0, 1)).toEqual(['batch', 'live', 'live'])
  })

  it('comes from the live view while it has no batch result, and from neither when that is away too', () => {
    expect(sources({ watermark: hour(3) }, 1)).toEqual(['live', 'batch', 'live'])
    expect(sources({ watermark: null }, 0, 1)).toEqual(['live', 'live', 'live'])
    expect(sources(null, 1)).toEqual(['none', 'batch', 'none'])
  })
})

describe('a query', () => {
  it('without a range means the open hours', () => {
    const watermark = epochMs(hour(1) - 1)
    expect(rangeOf(VIEW, query(''), watermark, hour(9))).toEqual({ from: hour(0), until: hour(2) })
    expect(rangeOf(VIEW, query(''), null, hour(9))).toEqual({ from: hour(9), until: hour(10) })
    expect(rangeOf(VIEW, query('from=2026-01-15T08'), watermark, hour(9)).until).toBe(hour(2))
    expect(rangeOf(VIEW, query('to=2026-01-15T10:30'), watermark, hour(9)).from).toBe(hour(0))
  })

  it('asks for a group by the parts of its key', () => {
    expect(query('key=D%3AE&key=7').key).toEqual(['D%3AE', '7'])
    expect(query('key=7', OVERALL).key).toEqual(['7'])
  })

  it.each([
    ['tops=3', 'no parameter "tops"', 'Did you mean top?'],
    ['from=yesterday', 'from is not a time', '2026-01-15T10'],
    ['from=2026-02-30T10', 'from is not a time', 'UTC'],
    ['from=2026-01-15T10&to=2026-01-15T10', 'from is not before to', 'exclusive'],
    ['from=2025-01-15T10&to=2026-01-15T10', 'too many', '744'],
    ['from=2026-01-15T10&from=2026-01-15T11', 'given 2 times', 'once'],
    ['top=0', 'top can\'t be "0"', '1 to 10000'],
    ['top=-1', "top can't be", '1 to'],
    ['top=1e3', "top can't be", '1 to'],
    ['key=DE', 'has 2 parts, not 1', 'country, id'],
    [`key=${'x'.repeat(1001)}&key=1`, 'too long', '1000'],
  ])('is refused with %s', (text, message, remedy) => {
    expect(() => query(text)).toThrow(
      expect.objectContaining({
        code: 'INVALID_USAGE',
        message: expect.stringContaining(message),
        remedy: expect.stringContaining(remedy),
      }),
    )
  })

  it('of a view without windows has no range, and one that is not ranked no top', () => {
    expect(() => query('from=2026-01-15T10', OVERALL)).toThrow('no windows')
    expect(() => query('top=3', OVERALL)).toThrow('is not ranked')
    const averages = rows
      .window(tumbling('10m'), { eventTime: 'event_time', watermark: '1m' })
      .groupBy('id')
      .aggregate({ mean: avg('n') })
      .to(redisView('means', { top: { by: 'mean', n: 3 } }))
    expect(() => query('top=3', viewOf(averages))).toThrow('average mean')
  })
})

describe('the rows that are wanted', () => {
  const row = (start: number, country: string, id: number): ReadRow => ({ window_start: start, country, id })
  const wanted = (text: string) => {
    const { key, from, until } = query(text)
    return { key, range: from === null || until === null ? null : { from, until }, limit: 10 }
  }

  it('of one group are found by their keys, window by window', () => {
    const asked = wanted('key=DE&key=7&from=2026-01-15T10:20&to=2026-01-15T11')
    expect(computedKeys(VIEW, [hour(0)], asked)).toEqual(
      ['20', '30', '40', '50'].map(minute => `2026-01-15T10:${minute}:00.000Z:DE:7`),
    )
    expect(computedKeys(VIEW, [hour(0)], wanted(''))).toBeNull()
    expect(computedKeys(OVERALL, null, { key: ['7'], range: null, limit: 1 })).toEqual(['7'])
  })

  it('are those of the hours, of the range and of the group', () => {
    const keep = wantedRow(VIEW, [hour(1)], wanted('key=DE&key=7&from=2026-01-15T10&to=2026-01-15T11:30'))
    expect(keep(row(hour(1), 'DE', 7))).toBe(true)
    expect(keep(row(hour(0), 'DE', 7))).toBe(false)
    expect(keep(row(hour(1) + 30 * 60_000, 'DE', 7))).toBe(false)
    expect(keep(row(hour(1), 'US', 7))).toBe(false)
    const byKey = wantedKey(VIEW, [hour(1)])
    expect(byKey('2026-01-15T11:10:00.000Z:DE:7')).toBe(true)
    expect(byKey('2026-01-15T12:00:00.000Z:DE:7')).toBe(false)
  })
})

it('the top is put together from all windows of a group', () => {
  const row = (country: string, plays: bigint, total: bigint | null, least: bigint | null): ReadRow => ({
    window_start: AT,
    window_end: AT,
    country,
    id: 1,
    plays,
    total,
    least,
    most: least,
  })
  const all = [row('DE', 2n, 5n, 4n), row('US', 3n, null, null), row('DE', 2n, null, 1n), row('FR', 1n, 1n, 1n)]
  expect(topGroups(VIEW, all, 2)).toEqual([
    { country: 'DE', id: 1, plays: 4n, total: 5n, least: 1n, most: 4n },
    { country: 'US', id: 1, plays: 3n, total: null, least: null, most: null },
  ])
})

it('a row is read as it was written, whatever is in it', () => {
  const { fields } = schemaOf({
    s: 'string?',
    i: 'int64?',
    f: 'float64?',
    b: 'bool',
    t: 'timestamp',
    d: 'date',
    raw: 'bytes?',
  })
  const text = fc.string({ unit: 'binary' }).filter(each => each.isWellFormed())
  const any = fc.record({
    s: fc.option(fc.oneof(text, fc.constantFrom('{"a":1,"b":[2]}', '\\"', ',:{}[]', 'null'))),
    i: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    f: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }).map(each => each + 0)),
    b: fc.boolean(),
    t: fc.integer({ min: -1e14, max: 1e14 }),
    d: fc.integer({ min: -500_000, max: 1_000_000 }),
    raw: fc.option(fc.uint8Array({ maxLength: 5 })),
  })
  fc.assert(
    fc.property(any, row => {
      expect(readJsonRow(fields, rowText('json', fields, row))).toEqual(row)
      const flat = JSON.parse(rowText('hash', fields, row)) as readonly string[]
      const hash = Object.fromEntries(flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1]]] : [])))
      expect(readHashRow(fields, hash as Record<string, string>)).toEqual(row)
    }),
  )
})

it.each(['', '[]', '{"a"}', '{"s":"x', 'OK', '{"i":1.5}'])('%j is no row', damaged => {
  const { fields } = schemaOf({ i: 'int64', s: 'string' })
  expect(() => readJsonRow(fields, damaged)).toThrow(expect.objectContaining({ code: 'REDIS_WRONG_TYPE' }))
})

describe('the table of a view', () => {
  const branches = (table: string | undefined, size: '10m' | '1h' = '10m') =>
    rows.branches({
      closed: each => counts(size, each).to(parquet('trending')),
      live: each =>
        counts('10m', each)
          .outputMode('update')
          .to(redisView('plays', table === undefined ? {} : { table })),
    })

  it('is that of its own branch, or one that cuts and groups in the same way', () => {
    const own = counts().to(parquet('own'), redisView('plays'))
    expect(viewOf(own).node.table).toBe('own')
    expect(describePlan(own).join('\n')).toContain('closed hours from own')
    expect(() => requireViewTables(branches(undefined))).not.toThrow()
    expect(() => requireViewTables(branches('trending'))).not.toThrow()
  })

  it('is refused where it is none, or cuts otherwise', () => {
    expect(() => requireViewTables(branches('nothing'))).toThrow('no branch writes a table nothing')
    expect(() => requireViewTables(branches('trending', '1h'))).toThrow('no branch writes a table trending')
  })
})
