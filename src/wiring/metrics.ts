import type { PipelineMetrics } from '../observe/pipeline-metrics.ts'
import { prometheusMetrics } from '../observe/prometheus/prometheus-metrics.ts'

/** The metrics of a pipeline, as Prometheus reads them. */
export const makeMetrics = (pipeline: string, version: string): PipelineMetrics => prometheusMetrics(pipeline, version)
