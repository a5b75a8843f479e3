import { jsonReply, type Route } from './routes.ts'
import type { ServiceView } from './service-view.ts'

const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString())

/** `/api/status`: what is known of the pipeline now, as JSON. Times are ISO 8601, lengths of time milliseconds. */
export const statusRoute = (view: ServiceView): Route => ({
  path: '/api/status',
  open: false,
  handle: () => {
    const { ready, checks } = view.readiness()
    const vitals = view.vitals()
    return jsonReply(200, {
      pipeline: view.pipeline,
      version: view.version,
      now: iso(vitals.now),
      phase: vitals.phase,
      failure: vitals.failure,
      ready,
      checks,
      epoch: vitals.epoch,
      startedAt: iso(vitals.startedAt),
      lastBatchAt: iso(vitals.lastBatchAt),
      rateLimitRowsPerSecond: vitals.recent.at(-1)?.backpressure.rowsPerSecond ?? null,
      lagRows: vitals.lagRows,
      lagAgeMs: Math.round(vitals.lagAge),
      watermarkLagMs: vitals.watermarkLagMs,
      partitions: vitals.lag.map(({ topic, partition, rows, age }) => ({
        topic,
        partition,
        lagRows: rows,
        lagAgeMs: Math.round(age),
      })),
      warnings: vitals.warnings.map(({ at, ...warning }) => ({ at: iso(at), ...warning })),
      progress: vitals.recent.at(-1) ?? null,
      recentBatches: vitals.recent.map(each => ({
        batchId: each.batchId,
        timestamp: each.timestamp,
        numInputRows: each.numInputRows,
        batchDuration: each.batchDuration,
        schedulingDelay: each.schedulingDelay,
        processedRowsPerSecond: each.processedRowsPerSecond,
      })),
    })
  },
})
