import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatHour, hoursOf, parseHour } from '../../../src/base/hours.ts'
import { epochMs } from '../../../src/base/units.ts'
import { checkRange } from '../../../src/batch/backfill.ts'
import { batchPlan, inputOf } from '../../../src/batch/batch-plan.ts'
import { packObjects } from '../../../src/batch/pack-splits.ts'
import { count } from '../../../src/pipeline/aggregates.ts'
import { json } from '../../../src/pipeline/formats.ts'
import { pipeline } from '../../../src/pipeline/pipeline.ts'
import { schema } from '../../../src/pipeline/schema.ts'
import { console, parquet } from '../../../src/pipeline/sinks.ts'
import { kafka } from '../../../src/pipeline/sources.ts'
import { tumbling } from '../../../src/pipeline/windows.ts'
import { eventsPipeline, HOUR, START } from './fixtures/events-pipeline.ts'

const at = (hour: string) => parseHour(hour, 'hour')
const usage = { code: 'INVALID_USAGE', exitCode: 2 }

describe('hours', () => {
  it.each([
    '2026-01-15',
    '2026-01-15T1',
    '2026-02-30T10',
    '2026-01-15T24',
    '2026-01-15T10:30',
    '2026-01-15T10+01:00',
    'yesterday',
    '',
  ])('%j is no hour', text => expect(() => at(text)).toThrow(expect.objectContaining(usage)))

  it('are read as they are written', () => {
    expect(['2026-01-15T10', '2026-01-15T10Z', '2026-01-15T10:00', '2026-01-15T10:00:00.000Z'].map(at)).toEqual(
      Array.from({ length: 4 }, () => START),
    )
    expect(hoursOf({ from: at('2026-01-15T22'), until: at('2026-01-16T01') }).map(formatHour)).toEqual([
      '2026-01-15T22',
      '2026-01-15T23',
      '2026-01-16T00',
    ])
  })

  it.each([
    ['2026-01-15T10', '2026-01-15T10', /not before/],
    ['2026-01-15T11', '2026-01-15T10', /not before/],
    ['2026-01-15T10', '2026-01-15T13', /not all passed/],
    ['2000-01-15T10', '2026-01-15T10', /too many/],
  ])('%s to %s are refused', (from, to, why) => {
    const now = epochMs(START + 2 * HOUR + 1)
    expect(() => checkRange({ from: at(from), until: at(to) }, now)).toThrow(
      expect.objectContaining({ ...usage, message: expect.stringMatching(why) }),
    )
  })
})

const Event = schema({ event_time: 'timestamp', other: 'timestamp', id: 'int32' })
const windowed = (size: '10m' | '90m' | '5h', offset: '0s' | '7m') =>
  batchPlan(
    pipeline('p')
      .from(kafka({ topic: 't', landed: { table: 'raw' } }), json(Event))
      .window(tumbling(size, { offset }), { eventTime: 'event_time', watermark: '0s' })
      .aggregate({ rows: count() })
      .to(parquet('counts')),
  )

describe('the input of an hour', () => {
  it('is the time that its windows cover, whatever their size and offset', () => {
    const minutes = (from: number, until: number) => ({
      within: { column: 'event_time', from: START + from * 60_000, until: START + until * 60_000 },
    })
    const hour = epochMs(START)
    expect(inputOf(windowed('10m', '0s'), hour)).toEqual(minutes(0, 60))
    expect(inputOf(windowed('10m', '7m'), hour)).toEqual(minutes(7, 67))
    // multiples of 90 minutes since 1970: 09:00, 10:30, 12:00
    expect(inputOf(windowed('90m', '0s'), hour)).toEqual(minutes(30, 120))
    const empty = inputOf(windowed('5h', '0s'), hour).within
    expect(empty?.until).toBe(empty?.from)
  })

  it('covers every event time exactly once in the windows of all hours', () => {
    const anySize = fc.constantFrom('10m', '90m', '5h')
    fc.assert(
      fc.property(fc.nat(20 * HOUR), anySize, fc.constantFrom('0s', '7m'), (later, size, offset) => {
        const time = START + later
        const plan = windowed(size, offset)
        const hours = hoursOf({ from: epochMs(START - 6 * HOUR), until: epochMs(START + 22 * HOUR) })
        const covering = hours.filter(hour => {
          const { within } = inputOf(plan, hour)
          return within !== null && time >= within.from && time < within.until
        })
        const sizeMs = { '10m': 600_000, '90m': 5_400_000, '5h': 18_000_000 }[size]
        const offsetMs = offset === '7m' ? 420_000 : 0
        const start = time - ((time - offsetMs) % sizeMs)
        expect(covering).toContain(Math.floor(start / HOUR) * HOUR)
      }),
    )
  })

  it('is everything where a lambda makes the time', () => {
    expect(
      inputOf(batchPlan(eventsPipeline({ size: '10m', offset: '0s', landedBy: 'hour', prefix: '' })), epochMs(START)),
    ).toEqual({ within: null })
  })
})

const source = () => pipeline('p').from(kafka({ topic: 't', landed: 'raw' }), json(Event))
type Source = ReturnType<typeof source>

describe('what batch jobs compute', () => {
  it('are the branches with tables whose rows have an hour; the others say why not', () => {
    const { branches, skipped } = batchPlan(
      pipeline('p')
        .from(kafka({ topic: 't', landed: 'raw' }), json(Event))
        .branches({
          raw: rows => rows.land().to(parquet('raw', { partitionBy: { hourOf: 'event_time' } })),
          all: rows => rows.groupBy('id').aggregate({ rows: count() }).to(console()),
          shown: rows => rows.filter(row => row.id > 1).to(console()),
          copied: rows => rows.filter(row => row.id > 1).to(parquet('copied', { partitionBy: ['id'] })),
          hidden: rows => rows.select('id').to(parquet('hidden', { partitionBy: [] })),
        }),
    )
    expect(branches).toEqual([{ name: 'copied', window: null, hourColumn: 'event_time', sourceColumn: 'event_time' }])
    expect(skipped.map(({ branch }) => branch)).toEqual(['raw', 'all', 'shown', 'hidden'])
  })

  it.each([
    ['a filter', (rows: Source) => rows.filter(row => row.id > 1).land()],
    ['a column that is replaced', (rows: Source) => rows.withColumn('id', 'int32', () => 1).land()],
    [
      'a column that is left out',
      (rows: Source) => rows.land().select('event_time', 'topic', 'partition', 'offset', 'timestamp', 'key', 'headers'),
    ],
    ['no coordinates', (rows: Source) => rows],
  ])('refuse a landed table with %s', (_, land) => {
    const sink = parquet('raw', { partitionBy: { hourOf: 'event_time' } })
    expect(() => source().branches({ raw: rows => land(rows).to(sink) })).toThrow(
      expect.objectContaining({ code: 'INVALID_PIPELINE' }),
    )
  })

  it('pack files into tasks in their order, none left out', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(100)), sizes => {
        const objects = sizes.map((size, key) => ({ key: String(key), size }))
        const packs = packObjects(objects, { maxSplitBytes: 120, openCostBytes: 4 })
        expect(packs.flat()).toEqual(objects)
        for (const pack of packs) {
          const bytes = pack.reduce((sum, { size }) => sum + size + 4, 0)
          expect(pack.length === 1 || bytes <= 120).toBe(true)
        }
      }),
    )
  })
})
