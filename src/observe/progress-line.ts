import { formatCount, formatMs, formatShort } from '../base/format.ts'

/** The numbers of one batch that fit on a line. */
export interface BatchSummary {
  readonly batchId: number
  readonly numInputRows: number
  readonly processedRowsPerSecond: number
  readonly batchDurationMs: number
  readonly lagRows: number
  /** Rows per second; `null` without a limit. */
  readonly rateLimit: number | null
  /** ISO 8601, or `null` before the first row of a window. */
  readonly watermark: string | null
  readonly badRows: number
  readonly lateRows: number
}

/** One aligned line for one batch; bad and late rows only show where there are some. */
export const progressLine = (batch: BatchSummary): string =>
  [
    `batch ${String(batch.batchId).padStart(5)}`,
    `${formatCount(batch.numInputRows).padStart(10)} rows in ${formatMs(batch.batchDurationMs).padStart(8)}`,
    `${formatShort(batch.processedRowsPerSecond).padStart(7)}/s`,
    `lag ${formatShort(batch.lagRows).padStart(6)}`,
    `limit ${(batch.rateLimit === null ? 'none' : `${formatShort(batch.rateLimit)}/s`).padStart(8)}`,
    ...(batch.watermark === null ? [] : [`watermark ${batch.watermark.slice(11, 19)}`]),
    ...(batch.badRows === 0 ? [] : [`bad ${formatCount(batch.badRows)}`]),
    ...(batch.lateRows === 0 ? [] : [`late ${formatCount(batch.lateRows)}`]),
  ].join('   ')
