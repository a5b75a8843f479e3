import { describe, expect, it } from 'vitest'
import { count, sum } from '../../../src/pipeline/aggregates.ts'
import { describePlan } from '../../../src/pipeline/describe-plan.ts'
import { json } from '../../../src/pipeline/formats.ts'
import { pipeline } from '../../../src/pipeline/pipeline.ts'
import type { PipelinePlan } from '../../../src/pipeline/plan.ts'
import { schema } from '../../../src/pipeline/schema.ts'
import { parquet } from '../../../src/pipeline/sinks.ts'
import { datagen } from '../../../src/pipeline/sources.ts'
import { redisView } from '../../../src/pipeline/views.ts'
import { tumbling } from '../../../src/pipeline/windows.ts'

const Play = schema({ event_time: 'timestamp', id: 'int32', country: 'string', tags: 'list<string>', n: 'float64' })
const rows = pipeline('views').from(datagen(), json(Play))
const windowed = rows.window(tumbling('10s'), { eventTime: 'event_time', watermark: '1m' })
const counts = windowed.groupBy('id', 'country').aggregate({ plays: count(), total: sum('n') })
const viewOf = (plan: PipelinePlan) => plan.branches[0]?.sinks[0]

describe('a view', () => {
  it('is found by what its branch groups by, and windows do not stay for ever', () => {
    expect(viewOf(counts.outputMode('update').to(redisView('plays')))).toEqual({
      kind: 'redisView',
      name: 'plays',
      key: ['window_start', 'id', 'country'],
      format: 'hash',
      ttlMs: 86_400_000,
      top: null,
      table: null,
    })
    const overall = rows.groupBy('country').aggregate({ plays: count() })
    expect(viewOf(overall.to(redisView('plays')))).toMatchObject({ key: ['country'], ttlMs: null })
  })

  it('shows the latest window of each group where results are final and the key leaves the window out', () => {
    expect(viewOf(counts.to(redisView('plays', { key: ['country', 'id'], ttl: '2h' })))).toMatchObject({
      key: ['country', 'id'],
      ttlMs: 7_200_000,
    })
  })

  it('says in the plan what it holds', () => {
    const plan = counts.to(redisView('plays', { key: ['country', 'id'], top: { by: 'plays', n: 3 }, format: 'json' }))
    expect(describePlan(plan).join('\n')).toContain('redisView plays (json by country, id, top 3 by plays)')
  })

  it.each<[string, () => PipelinePlan, string]>([
    ['no key', () => rows.to(redisView('v')), 'has no key'],
    [
      'a key that leaves a group column out',
      () => counts.outputMode('update').to(redisView('v', { key: ['window_start', 'id'] })),
      'differ in country',
    ],
    [
      'a key that leaves the window out of updates',
      () => counts.outputMode('update').to(redisView('v', { key: ['id', 'country'] })),
      'differ in window_start',
    ],
    ['a list as key', () => rows.to(redisView('v', { key: ['tags'] })), 'a list<string> column'],
    [
      'a text to rank by',
      () => rows.to(redisView('v', { key: ['id'], top: { by: 'country', n: 3 } })),
      'is ordered by',
    ],
    ['a top of none', () => rows.to(redisView('v', { key: ['id'], top: { by: 'n', n: 0 } })), 'the top 0'],
    ['a name with a brace', () => rows.to(redisView('v}', { key: ['id'] })), 'not the name of a view'],
    [
      'a format of its own',
      () => rows.to(redisView('v', { format: 'xml' as 'json' })),
      'format of a view can\'t be "xml"',
    ],
    ['no time at all', () => rows.to(redisView('v', { key: ['id'], ttl: '0s' })), 'gone at once'],
    [
      'a name that another view has',
      () => rows.to(redisView('v', { key: ['id'] }), redisView('v', { key: ['country'] })),
      'two views are named v',
    ],
    ['updates into a table', () => counts.outputMode('update').to(parquet('t')), 'append-only'],
  ])('is refused with %s', (_, build, message) => {
    expect(build).toThrow(
      expect.objectContaining({ code: 'INVALID_PIPELINE', message: expect.stringContaining(message) }),
    )
  })

  it('of a column that is not there does not compile, and does not pass', () => {
    // @ts-expect-error: there is no such column
    expect(() => rows.to(redisView('v', { key: ['nobody'] }))).toThrow('nobody, which is not there')
  })
})
