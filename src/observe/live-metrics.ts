import type { PartitionLag } from './lag-tracker.ts'
import { type Metric, type Sample, sample } from './metric.ts'
import type { DriverPhase, Vitals } from './pipeline-monitor.ts'

/** What is asked for at each scrape: numbers that change while no batch ends. */
export interface Scrape {
  readonly vitals: Vitals
  readonly ready: boolean
}

const gauge = (
  name: string,
  help: string,
  samples: (scrape: Scrape) => readonly Sample[],
  labels: readonly string[] = [],
): Metric<Scrape> => ({ name: `millrace_${name}`, help, kind: 'gauge', labels, buckets: [], samples })

/** Partitions with series of their own; what is beyond goes under `others`. */
export const MOST_PARTITION_SERIES = 1000

const perPartition =
  (value: (lag: PartitionLag) => number, together: (a: number, b: number) => number) =>
  ({ vitals: { lag } }: Scrape): readonly Sample[] => {
    const own = lag.slice(0, MOST_PARTITION_SERIES).map(each => ({
      labels: { topic: each.topic, partition: String(each.partition) },
      value: value(each),
    }))
    const [first, ...others] = lag.slice(MOST_PARTITION_SERIES)
    if (first === undefined) return own
    const labels = { topic: first.topic, partition: 'others' }
    return [...own, { labels, value: others.map(value).reduce(together, value(first)) }]
  }

const PHASES: readonly DriverPhase[] = ['starting', 'running', 'stopping', 'stopped', 'failed']

/** Metrics that are read when Prometheus asks. */
export const LIVE_METRICS: readonly Metric<Scrape>[] = Object.freeze([
  gauge(
    'driver_phase',
    'Where the driver is in its life: 1 for the phase that holds.',
    ({ vitals }) => PHASES.map(phase => ({ labels: { phase }, value: phase === vitals.phase ? 1 : 0 })),
    ['phase'],
  ),
  gauge('ready', 'Whether /readyz answers 200.', ({ ready }) => sample(ready ? 1 : 0)),
  gauge(
    'lag_rows',
    'Rows that wait in a partition.',
    perPartition(
      ({ rows }) => rows,
      (a, b) => a + b,
    ),
    ['topic', 'partition'],
  ),
  gauge(
    'lag_seconds',
    'How long the oldest row that waits in a partition has waited.',
    perPartition(({ age }) => age / 1000, Math.max),
    ['topic', 'partition'],
  ),
  gauge(
    'watermark_lag_seconds',
    'How far the watermark is behind the clock; nothing before the first row of a window.',
    ({ vitals: { watermarkLagMs } }) => (watermarkLagMs === null ? [] : sample(watermarkLagMs / 1000)),
  ),
  gauge('last_batch_timestamp_seconds', 'When the last batch ended, as seconds since 1970.', ({ vitals }) =>
    vitals.lastBatchAt === null ? [] : sample(vitals.lastBatchAt / 1000),
  ),
  gauge(
    'probe_success',
    'Whether what the pipeline stands on answered when it was last asked: source, store.',
    ({ vitals: { probes } }) =>
      Object.entries(probes).map(([target, { error }]) => ({ labels: { target }, value: error === null ? 1 : 0 })),
    ['target'],
  ),
  gauge(
    'probe_seconds',
    'How long the last answer took.',
    ({ vitals: { probes } }) =>
      Object.entries(probes).map(([target, { tookMs }]) => ({ labels: { target }, value: tookMs / 1000 })),
    ['target'],
  ),
])
