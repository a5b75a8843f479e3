import { describe, expect, it } from 'vitest'
import { BEFORE_ALL_TIME, batchId, epochMs, offset } from '../../../src/base/units.ts'
import { typescriptKernels } from '../../../src/columnar/typescript/index.ts'
import { taskRunner } from '../../../src/executor/task-runner.ts'
import { DATAGEN_TOPIC, datagenReader } from '../../../src/ingest/datagen/datagen-source.ts'
import { count, sum } from '../../../src/pipeline/aggregates.ts'
import { bytes, json } from '../../../src/pipeline/formats.ts'
import { pipeline } from '../../../src/pipeline/pipeline.ts'
import type { PipelinePlan } from '../../../src/pipeline/plan.ts'
import { pruneColumns } from '../../../src/pipeline/prune-columns.ts'
import { schema } from '../../../src/pipeline/schema.ts'
import { console, parquet } from '../../../src/pipeline/sinks.ts'
import { datagen } from '../../../src/pipeline/sources.ts'
import type { Stream } from '../../../src/pipeline/stream.ts'
import { tumbling } from '../../../src/pipeline/windows.ts'
import { lineEncoder } from '../../support/line-encoder.ts'

const SOURCE = datagen({ rowsPerSecond: 1000, partitions: 1 })
const COLUMNS = {
  event_id: 'string',
  event_type: 'string',
  event_time: 'timestamp',
  content_id: 'int32',
  country: 'string',
  watch_duration: 'float64?',
} as const
type Rows = Stream<typeof COLUMNS>
const Play = schema(COLUMNS)
const decodedBy = (plan: PipelinePlan) => pruneColumns(plan).format.schema.fields.map(field => field.name)

const CASES: Readonly<Record<string, readonly [readonly string[], (rows: Rows) => PipelinePlan]>> = {
  'nothing is read by a bare count': [[], rows => rows.groupBy().aggregate({ rows: count() }).to(console())],
  'windows read their event time, keys and aggregates': [
    ['event_time', 'content_id', 'watch_duration'],
    rows =>
      rows
        .window(tumbling('10s'), { eventTime: 'event_time', watermark: '1m' })
        .groupBy('content_id')
        .aggregate({ watched: sum('watch_duration') })
        .to(parquet('windows')),
  ],
  'coordinates are no columns of the value': [
    ['country'],
    rows => rows.land().groupBy('country', 'partition').aggregate({ rows: count() }).to(console()),
  ],
  'what select drops is not read, what it keeps and an aggregation drops neither': [
    ['content_id'],
    rows => rows.select('country', 'content_id').groupBy('content_id').aggregate({ rows: count() }).to(console()),
  ],
  'a table reads what is selected for it': [
    ['event_id', 'country'],
    rows => rows.select('country', 'event_id').to(parquet('raw', { partitionBy: [] })),
  ],
  'a lambda may read all that it is given': [
    ['event_type', 'country'],
    rows =>
      rows
        .select('country', 'event_type')
        .filter(row => row.event_type === 'play')
        .groupBy()
        .aggregate({ rows: count() })
        .to(console()),
  ],
  'branches read what any of them reads': [
    ['content_id', 'country'],
    rows =>
      rows.branches({
        one: branch => branch.groupBy('country').aggregate({ rows: count() }).to(console()),
        other: branch => branch.select('content_id').to(parquet('other', { partitionBy: [] })),
      }),
  ],
}

const ROWS = 500
const resultOf = async (plan: PipelinePlan) => {
  const reader = datagenReader(SOURCE)
  const runner = taskRunner({ plan, reader, kernels: typescriptKernels, encoderFactory: lineEncoder })
  const split = { ranges: [{ topic: DATAGEN_TOPIC, partition: 0, from: offset(0), until: offset(ROWS) }] }
  const watermarks = plan.branches.map(() => BEFORE_ALL_TIME)
  const task = { index: 0, batchId: batchId(0), split, watermarks, triggeredAt: epochMs(1_800_000_000_000) }
  return runner.run(task, new AbortController().signal)
}

describe('columns that nothing reads are not decoded', () => {
  it.each(Object.entries(CASES))('%s', async (_, [columns, build]) => {
    const start = pipeline('plays')
    expect(decodedBy(build(start.from(SOURCE, json(Play, { validate: 'fields' }))))).toEqual(columns)
    const pruned = await resultOf(build(start.from(SOURCE, json(Play, { validate: 'fields' }))))
    const whole = await resultOf(build(start.from(SOURCE, json(Play, { validate: 'row' }))))
    expect(pruned).toEqual(whole)
  })

  it('where every column of the schema is asked to be right, all are decoded', () => {
    const plan = pipeline('plays').from(SOURCE, json(Play)).groupBy().aggregate({ rows: count() }).to(console())
    expect(decodedBy(plan)).toEqual(Object.keys(COLUMNS))
  })

  it('bytes that nothing reads are not copied, and a record without a value is still no row', async () => {
    const plan = pipeline('plays')
      .from(SOURCE, bytes({ maxRecordBytes: 330 }))
      .groupBy()
      .aggregate({ rows: count() })
    const { ledger } = await resultOf(plan.to(console()))
    expect(decodedBy(plan.to(console()))).toEqual([])
    expect(ledger.read).toBe(ROWS)
    expect(ledger.decoded).toBeLessThan(ROWS)
    expect(ledger.bad).toEqual({ tooLarge: ROWS - ledger.decoded })
  })
})
