import { countsTotal, droppedFor } from '../executor/batch-ledger.ts'
import type { DriverEvent, QueryProgress } from '../microbatch/progress.ts'
import { type BatchSummary, progressLine } from '../observe/progress-line.ts'
import type { StreamingQuery } from '../wiring/streaming-query.ts'
import type { StopSignals } from './stop-signals.ts'

export interface FollowOptions {
  readonly json: boolean
  /** Print why each batch got its ranges. */
  readonly explain: boolean
  readonly signals: StopSignals
  /** Called when a stop is asked for, before the query is told. */
  readonly onStop: () => void
}

/**
 * Shows a running query until it ends: one line for each batch, warnings on stderr. The first signal ends it after the
 * batch in flight. @throws what stopped the query
 */
export const follow = async (query: StreamingQuery, { signals, onStop, ...options }: FollowOptions): Promise<void> => {
  const subscription = query.events.subscribe({ next: event => show(event, options), error: () => undefined })
  signals.attach(() => {
    onStop()
    return query.stop()
  })
  try {
    await query.awaitTermination()
  } finally {
    subscription.unsubscribe()
  }
}

const show = (event: DriverEvent, { json, explain }: Pick<FollowOptions, 'json' | 'explain'>): void => {
  if (json) {
    process.stdout.write(`${JSON.stringify(event)}\n`)
    return
  }
  switch (event.kind) {
    case 'started':
      process.stdout.write(
        event.resumedAfter === null
          ? `${event.name} starts anew (driver epoch ${event.epoch})\n`
          : `${event.name} goes on after batch ${event.resumedAfter} (driver epoch ${event.epoch})\n`,
      )
      break
    case 'progress':
      process.stdout.write(`${progressLine(summaryOf(event.progress))}\n`)
      if (explain) for (const line of event.progress.backpressure.explanation) process.stdout.write(`    ${line}\n`)
      break
    case 'warning':
      process.stderr.write(`warning: ${event.code}: ${event.message}\n`)
      break
    case 'hourPublished':
      process.stdout.write(
        `hour ${event.hour} computed from ${event.rowsRead} landed rows (generation ${event.generation})\n`,
      )
      break
    case 'terminated':
      process.stdout.write(`${event.name} ended after ${event.batches} batches\n`)
      break
  }
}

/** The numbers of a batch that fit on a line. */
const summaryOf = (progress: QueryProgress): BatchSummary => ({
  batchId: progress.batchId,
  numInputRows: progress.numInputRows,
  processedRowsPerSecond: progress.processedRowsPerSecond,
  batchDurationMs: progress.batchDuration,
  lagRows: progress.sources.reduce((rows, source) => rows + source.lagRows, 0),
  rateLimit: progress.backpressure.rowsPerSecond,
  watermark: progress.eventTime.watermark,
  badRows: countsTotal(progress.ledger.bad),
  lateRows: droppedFor(progress.ledger, 'late'),
})
