import type { Observed } from './driver-metrics.ts'
import type { Scrape } from './live-metrics.ts'

/** Collects a pipeline's metrics and writes them for whoever scrapes them. */
export interface PipelineMetrics {
  observe(event: Observed): void
  page(scrape: Scrape): Promise<MetricsPage>
}

/** An answer to a scrape. */
export interface MetricsPage {
  readonly contentType: string
  readonly body: string
}
