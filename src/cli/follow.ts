import { countsTotal, droppedFor } from '../executor/batch-ledger.ts'
import type { DriverEvent, QueryProgress } from '../microbatch/progress.ts'
import { type BatchSummary, progressLine } from '../observe/progress-line.ts'
import type { StreamingQuery } from '../wiring/streaming-query.ts'

export interface FollowOptions {
  readonly json: boolean
  /** Print why each batch got its ranges. */
  readonly explain: boolean
  /** Called when a stop is asked for, before the query is told. */
  readonly onStop: () => void
}

/**
 * Shows a running query until it ends: one line for each batch, warnings on stderr. The first SIGINT or SIGTERM ends it
 * after the batch in flight, a second one ends the process at once (nothing is lost: the next run recovers).
 * @throws what stopped the query
 */
export const follow = async (query: StreamingQuery, options: FollowOptions): Promise<void> => {
  const subscription = query.events.subscribe({ next: event => show(event, options), error: () => undefined })
  const release = stopOnSignals(query, options.onStop)
  try {
    await query.awaitTermination()
  } finally {
    release()
    subscription.unsubscribe()
  }
}

const stopOnSignals = (query: StreamingQuery, onStop: () => void): (() => void) => {
  let asked = false
  const onSignal = (signal: NodeJS.Signals): void => {
    if (asked) process.exit(signal === 'SIGINT' ? 130 : 143)
    asked = true
    onStop()
    void query.stop()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return () => {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}

const show = (event: DriverEvent, { json, explain }: FollowOptions): void => {
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
