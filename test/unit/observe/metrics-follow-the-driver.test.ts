import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { withMetricsTable } from '../../../scripts/docs.mjs'
import { epochMs } from '../../../src/base/units.ts'
import { count, datagen, json, parquet, pipeline, schema, tumbling } from '../../../src/index.ts'
import type { QueryProgress } from '../../../src/microbatch/progress.ts'
import { DRIVER_METRICS, type Observed } from '../../../src/observe/driver-metrics.ts'
import { LIVE_METRICS, MOST_PARTITION_SERIES } from '../../../src/observe/live-metrics.ts'
import { PipelineMonitor } from '../../../src/observe/pipeline-monitor.ts'
import { prometheusMetrics } from '../../../src/observe/prometheus/prometheus-metrics.ts'
import { memoryObjectStore } from '../../../src/storage/memory/memory-object-store.ts'
import { composeTestDriver } from '../../support/run-driver.ts'

const Play = schema({ event_type: 'string', event_time: 'timestamp', country: 'string' })

const counted = pipeline('counted')
  .from(datagen({ rowsPerSecond: 200, partitions: 2, rowsPerPartition: 500 }), json(Play))
  .filter(row => row.event_type === 'play')
  .window(tumbling('10s'), { eventTime: 'event_time', watermark: '1s' })
  .groupBy('country')
  .aggregate({ plays: count() })
  .to(parquet('counted'))

const eventsOfARun = async (): Promise<readonly Observed[]> => {
  const events: Observed[] = []
  const { driver } = await composeTestDriver(counted, {
    store: memoryObjectStore(),
    seed: 1,
    emit: event => events.push(event),
  })
  await driver.run()
  return events
}

const series = (body: string): ReadonlyMap<string, number> =>
  new Map(
    body
      .split('\n')
      .filter(line => line.startsWith('millrace_'))
      .map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  )

const scrape = (monitor = new PipelineMonitor()) => ({ vitals: monitor.vitals(epochMs(1)), ready: false })

it('counters are the sums of what the driver told, gauges its last word', async () => {
  const events = await eventsOfARun()
  const progress = events.flatMap(event => (event.kind === 'progress' ? [event.progress] : []))
  const sum = (of: (each: QueryProgress) => number) => progress.reduce((total, each) => total + of(each), 0)
  const metrics = prometheusMetrics('counted', '1.2.3')
  for (const event of events) metrics.observe(event)
  metrics.observe({ kind: 'warning', code: 'SOURCE', message: 'slow' })
  metrics.observe({ kind: 'failed', code: 'FENCED' })
  const values = series((await metrics.page(scrape())).body)
  const at = (name: string, labels = '') => values.get(`millrace_${name}{${labels}pipeline="counted"}`)

  expect(at('batches_total')).toBe(progress.length)
  expect(at('input_rows_total')).toBe(1000)
  expect(at('input_bytes_total')).toBe(sum(each => each.sources[0]?.bytesRead ?? 0))
  const filtered = sum(each => each.ledger.stages[0]?.[0]?.dropped['filtered'] ?? 0)
  expect(filtered).toBeGreaterThan(0)
  const branch = progress[0]?.sinks[0]?.branch
  expect(at('dropped_rows_total', `branch="${branch}",stage="1 filter",reason="filtered",`)).toBe(filtered)
  expect(at('sink_rows_total', `branch="${branch}",sink="parquet counted",`)).toBe(
    sum(each => each.sinks[0]?.numOutputRows ?? 0),
  )
  expect(at('batch_processing_seconds_count')).toBe(progress.length)
  expect(at('batch_total_delay_seconds_sum')).toBeCloseTo(
    sum(each => each.batchDuration / 1000),
    6,
  )
  expect(at('last_batch_id')).toBe(progress.length - 1)
  expect(at('rate_limit_rows_per_second')).toBe(progress.at(-1)?.backpressure.rowsPerSecond)
  expect(at('driver_epoch')).toBe(1)
  expect(at('warnings_total', 'code="SOURCE",')).toBe(1)
  expect(at('failures_total', 'code="FENCED",')).toBe(1)
})

it('what is not known yet has no value, rather than 0', async () => {
  const values = series((await prometheusMetrics('idle', '1').page(scrape())).body)
  const shown = [...values.keys()].filter(key => /watermark|last_batch|rate_limit|epoch|state_/.test(key))
  expect(shown).toEqual([])
})

it('names follow Prometheus: base units, _total for counters only, labels as declared', async () => {
  const events = await eventsOfARun()
  for (const { name, kind, help, labels, samples } of DRIVER_METRICS) {
    expect(name).toMatch(/^millrace_[a-z_]+$/)
    expect(name.endsWith('_total')).toBe(kind === 'counter')
    expect(name).not.toMatch(/_(ms|millis|kb|mb|minutes|percent)(_|$)/)
    expect(help).toMatch(/^[A-Z].*\.$/)
    for (const event of events)
      for (const sample of samples(event)) expect(Object.keys(sample.labels).toSorted()).toEqual([...labels].toSorted())
  }
  const names = [...DRIVER_METRICS, ...LIVE_METRICS].map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
})

it('a topic of very many partitions has a bounded number of series, and no row is left out', async () => {
  const monitor = new PipelineMonitor()
  monitor.observe({ kind: 'started', name: 't', epoch: 1, resumedAfter: null, partitions: [] }, epochMs(1))
  const partitions = Array.from({ length: MOST_PARTITION_SERIES + 50 }, (_, partition) => partition)
  const earliest = 0 as never
  monitor.bounds(
    partitions.map(partition => ({ topic: 't', partition, earliest, latest: 10 as never })),
    epochMs(1),
  )
  const lag = LIVE_METRICS.find(({ name }) => name === 'millrace_lag_rows')
  const samples = lag?.samples(scrape(monitor)) ?? []
  expect(samples).toHaveLength(MOST_PARTITION_SERIES + 1)
  expect(samples.reduce((sum, { value }) => sum + value, 0)).toBe(10 * partitions.length)
})

it('docs/monitoring.md lists every metric (node scripts/docs.mjs writes it)', () => {
  const page = readFileSync(new URL('../../../docs/monitoring.md', import.meta.url), 'utf8')
  expect(page).toBe(withMetricsTable(page, [...DRIVER_METRICS, ...LIVE_METRICS]))
  for (const { name } of [...DRIVER_METRICS, ...LIVE_METRICS]) expect(page).toContain(`| \`${name}\` |`)
})
