import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { DRIVER_METRICS } from '../driver-metrics.ts'
import { LIVE_METRICS } from '../live-metrics.ts'
import type { Metric, Sample } from '../metric.ts'
import type { MetricsPage, PipelineMetrics } from '../pipeline-metrics.ts'

/** Metrics of one pipeline in a registry of their own, with Node's and the process's under their usual names. */
export const prometheusMetrics = (pipeline: string, version: string): PipelineMetrics => {
  const registry = new Registry()
  registry.setDefaultLabels({ pipeline })
  collectDefaultMetrics({ register: registry })
  new Gauge({
    name: 'millrace_build_info',
    help: 'The version, always 1.',
    labelNames: ['version'],
    registers: [registry],
  })
    .labels(version)
    .set(1)
  const driver = DRIVER_METRICS.map(metric => recorder(metric, registry))
  const live = LIVE_METRICS.map(metric => recorder(metric, registry))
  return {
    observe: event => {
      for (const record of driver) record(event)
    },
    page: async (scrape): Promise<MetricsPage> => {
      for (const record of live) record(scrape)
      return { contentType: registry.contentType, body: await registry.metrics() }
    },
  }
}

/** Writes what a metric reads from a source into its collector. */
const recorder = <Source>(metric: Metric<Source>, registry: Registry): ((source: Source) => void) => {
  const write = collector(metric, registry)
  return source => write(metric.samples(source))
}

const collector = (
  { name, help, kind, labels, buckets }: Metric<never>,
  registry: Registry,
): ((samples: readonly Sample[]) => void) => {
  const common = { name, help, labelNames: [...labels], registers: [registry] }
  switch (kind) {
    case 'counter': {
      const counter = new Counter(common)
      return samples => {
        for (const { labels: of, value } of samples) counter.inc(of, value)
      }
    }
    case 'gauge': {
      const gauge = new Gauge(common)
      // begins at 0 by itself, which would be a value that nobody measured
      if (labels.length === 0) gauge.remove()
      return samples => {
        for (const { labels: of, value } of samples) gauge.set(of, value)
      }
    }
    case 'histogram': {
      const histogram = new Histogram({ ...common, buckets: [...buckets] })
      return samples => {
        for (const { labels: of, value } of samples) histogram.observe(of, value)
      }
    }
    default:
      return kind satisfies never
  }
}
