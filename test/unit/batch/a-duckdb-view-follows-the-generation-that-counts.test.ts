import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, it, onTestFinished } from 'vitest'
import { epochMs } from '../../../src/base/units.ts'
import { duckdbViews } from '../../../src/batch/duckdb-view.ts'
import { HourLog } from '../../../src/batch/hour-log.ts'
import { typescriptKernels } from '../../../src/columnar/typescript/index.ts'
import { count } from '../../../src/pipeline/aggregates.ts'
import { json } from '../../../src/pipeline/formats.ts'
import { pipeline } from '../../../src/pipeline/pipeline.ts'
import { schema } from '../../../src/pipeline/schema.ts'
import { parquet } from '../../../src/pipeline/sinks.ts'
import { kafka } from '../../../src/pipeline/sources.ts'
import { tumbling } from '../../../src/pipeline/windows.ts'
import { parquetEncoder } from '../../../src/sinks/parquet/index.ts'
import type { TableEncoderFactory } from '../../../src/sinks/sink.ts'
import { openLocalObjectStore } from '../../../src/storage/local/local-object-store.ts'
import { openDuck } from '../../support/duckdb.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { HOUR, START } from './fixtures/events-pipeline.ts'
import { runTestBackfill } from './fixtures/run-backfill.ts'

let encoder: TableEncoderFactory
beforeAll(async () => {
  encoder = parquetEncoder(typescriptKernels)
})

const plan = pipeline('views')
  .from(kafka({ topic: 'events' }), json(schema({ event_time: 'timestamp', id: 'int32', country: 'string' })))
  .branches({
    counts: rows =>
      rows
        .window(tumbling('1h'), { eventTime: 'event_time', watermark: '0s' })
        .groupBy('country')
        .aggregate({ rows: count() })
        .to(parquet('counts/by_country', { partitionBy: ['country'] }), parquet('counts/by_hour')),
    never: rows => rows.filter(row => row.id < 0).to(parquet('never', { partitionBy: { hourOf: 'event_time' } })),
  })

const range = { from: epochMs(START), until: epochMs(START + 2 * HOUR) }
const records = (rows: number) => [
  Array.from({ length: rows }, (_, at) => ({
    offset: at,
    value: JSON.stringify({ event_time: START + (at % 2) * HOUR, id: at, country: at % 3 === 0 ? 'NULL' : 'DE' }),
  })),
]

it('whoever asks DuckDB sees one whole generation of each hour, also after it was computed again', async () => {
  const root = mkdtempSync(join(tmpdir(), 'millrace-views-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const store = await openLocalObjectStore({ root, durability: 'process' })
  const io = { store, clock: new VirtualClock() }
  const compute = (rows: number) =>
    runTestBackfill(plan, { store, encoder, records: records(rows), source: 'kafka', range, reprocess: 'completed' })
  const duck = await openDuck()
  onTestFinished(() => duck.close())
  const view = async (table: string) =>
    duck.query(`SELECT epoch_ms(window_start) AS start, country, rows FROM "${table}" ORDER BY ALL`)

  await compute(6)
  await duck.query(duckdbViews(plan, store.location, await new HourLog(io, plan.name).all()))
  const first = [
    { start: BigInt(START), country: 'DE', rows: 2n },
    { start: BigInt(START), country: 'NULL', rows: 1n },
    { start: BigInt(START + HOUR), country: 'DE', rows: 2n },
    { start: BigInt(START + HOUR), country: 'NULL', rows: 1n },
  ]
  for (const table of ['counts/by_country', 'counts/by_hour']) expect(await view(table), table).toEqual(first)
  expect(await duck.query('SELECT * FROM never')).toEqual([])

  await compute(12)
  const second = first.map(row => ({ ...row, rows: row.rows * 2n }))
  for (const table of ['counts/by_country', 'counts/by_hour']) expect(await view(table), table).toEqual(second)
})
