import { avg, count, foreachBatch, json, kafka, max, parquet, pipeline, schema, sum, tumbling } from 'millrace'
import { describe, expect, expectTypeOf, it } from 'vitest'

const Play = schema({
  event_type: 'string',
  event_time: 'timestamp',
  content_id: 'int32',
  bytes_read: 'int64?',
  watch_duration: 'float64?',
  'device.type': 'string?',
  tags: 'list<string>?',
})
const plays = () => pipeline('plays').from(kafka({ topic: 'plays' }), json(Play))

describe('the row type follows from the schema', () => {
  it('gives each column its JavaScript type', () => {
    plays().filter(row => {
      expectTypeOf(row.event_type).toEqualTypeOf<string>()
      expectTypeOf(row.event_time).toEqualTypeOf<number>()
      expectTypeOf(row.bytes_read).toEqualTypeOf<bigint | null>()
      expectTypeOf(row['device.type']).toEqualTypeOf<string | null>()
      expectTypeOf(row.tags).toEqualTypeOf<readonly (string | null)[] | null>()
      // @ts-expect-error: no such column
      void row.contentId
      return true
    })
  })

  it('carries new, selected, landed and aggregated columns on', () => {
    const stream = plays()
      .withColumn('minutes', 'float64?', row => (row.watch_duration === null ? null : row.watch_duration / 60))
      .select('event_time', 'minutes', 'content_id', 'bytes_read')
      .window(tumbling('1m'), { eventTime: 'event_time', watermark: '1m' })
      .groupBy('content_id')
      .aggregate({ rows: count(), total: sum('bytes_read'), mean: avg('minutes'), longest: max('minutes') })
      .filter(row => {
        expectTypeOf(row.window_start).toEqualTypeOf<number>()
        expectTypeOf(row.content_id).toEqualTypeOf<number>()
        expectTypeOf(row.rows).toEqualTypeOf<bigint>()
        expectTypeOf(row.total).toEqualTypeOf<bigint | null>()
        expectTypeOf(row.mean).toEqualTypeOf<number | null>()
        expectTypeOf(row.longest).toEqualTypeOf<number | null>()
        return row.rows > 1n
      })
    expect(stream.schema.fields.map(field => `${field.name} ${field.type}${field.nullable ? '?' : ''}`)).toEqual([
      'window_start timestamp',
      'window_end timestamp',
      'content_id int32',
      'rows int64',
      'total int64?',
      'mean float64?',
      'longest float64?',
    ])
    plays()
      .land({ prefix: 'kafka_' })
      .filter(row => {
        expectTypeOf(row.kafka_offset).toEqualTypeOf<bigint>()
        expectTypeOf(row.kafka_key).toEqualTypeOf<Uint8Array | null>()
        return true
      })
  })

  it('refuses wrong columns at compile time, and at run time where types were cast away', () => {
    // @ts-expect-error: no such column
    expect(() => plays().select('nope')).toThrow(/nope/)
    const late = { eventTime: 'content_id', watermark: '1m' } as const
    // @ts-expect-error: not a timestamp
    const byNumber = () => plays().window(tumbling('1m'), late).aggregate({ rows: count() })
    expect(byNumber).toThrow(/content_id is a int32/)
    const grouped = plays().groupBy('content_id')
    // @ts-expect-error: a string can't be summed
    expect(() => grouped.aggregate({ total: sum('event_type') })).toThrow(/sum/)
    // @ts-expect-error: no such column
    expect(() => grouped.aggregate({ total: sum('nope') })).toThrow(/nope/)
    plays().to(
      // @ts-expect-error: the rows have no column named other
      foreachBatch<{ other: 'string' }>(() => undefined),
    )
  })
})

describe('a pipeline that can not work is refused when it is built', () => {
  const grouped = () => plays().groupBy('content_id').aggregate({ rows: count() })

  it.each([
    [
      'two columns of one name',
      () =>
        plays()
          .withColumn('topic', 'string', () => 'x')
          .land(),
      /topic/,
    ],
    ['append over groups that are never final', () => grouped().outputMode('append').to(parquet('t')), /append/],
    ['updates into an append-only table', () => grouped().to(parquet('t')), /append-only/],
    ['a table that escapes its root', () => parquet('../t'), /table name/],
    ['a topic that is none', () => kafka({ topic: 'a b' }), /topic name/],
    ['a name that is no folder', () => pipeline('a/b'), /name for a pipeline/],
    ['an offset below -2', () => kafka({ topic: 't', startingOffsets: { t: { '0': -3 } } }), /-3/],
    ['a start that is none', () => kafka({ topic: 't', startingOffsets: 'soonest' as 'latest' }), /soonest/],
    ['an end that is none', () => kafka({ topic: 't', endingOffsets: 'never' as 'latest' }), /never/],
    ['an isolation that is none', () => kafka({ topic: 't', isolation: 'dirty' as 'read_committed' }), /dirty/],
    [
      'an option that does not exist',
      () => kafka({ topic: 't', ...{ maxOffsetPerTrigger: 9 } }),
      /maxOffsetPerTrigger/,
    ],
    ['a limit of none', () => kafka({ topic: 't', maxOffsetsPerTrigger: 0 }), /above 0/],
    ['an unknown type', () => schema({ a: 'varchar' as 'string' }), /varchar/],
    ['aggregating twice', () => grouped().groupBy('content_id').aggregate({ n: count() }), /twice/],
    ['grouping by a list', () => plays().groupBy('tags').aggregate({ n: count() }), /list/],
    ['land() after an aggregation', () => grouped().land(), /aggregation/],
    ['no sink', () => plays().to(), /no sink/],
    ['two tables in one folder', () => plays().select('content_id').to(parquet('raw'), parquet('raw/plays')), /raw/],
    ['a table among the dead letters', () => plays().to(parquet('dead_letters/mine')), /dead_letters/],
    ['no branch', () => plays().branches({}), /no branch/],
    [
      'several timestamps and no word on folders',
      () =>
        plays()
          .withColumn('seen', 'timestamp', () => 0)
          .to(parquet('t')),
      /several timestamps/,
    ],
  ])('%s', (_, build, message) => {
    expect(build).toThrow(message)
  })
})

it('a plan is frozen and names its parts', () => {
  const plan = plays().branches({
    raw: rows => rows.land().to(parquet('raw/plays', { partitionBy: { hourOf: 'event_time' } })),
    counts: rows =>
      rows
        .groupBy('content_id')
        .aggregate({ rows: count() })
        .to(foreachBatch(() => undefined)),
  })
  expect(Object.isFrozen(plan) && Object.isFrozen(plan.branches)).toBe(true)
  expect(plan.branches.map(branch => [branch.name, branch.outputMode])).toEqual([
    ['raw', 'append'],
    ['counts', 'update'],
  ])
})
