import { BEFORE_ALL_TIME, durationMs } from '../base/units.ts'
import type { CommitEntry, PlanEntry } from '../checkpoint/entries.ts'
import { droppedFor } from '../executor/batch-ledger.ts'
import { partitionKey } from '../ingest/offset-range.ts'
import type { BoundSink, DriverParts } from './driver-parts.ts'
import type { DriverState } from './driver-state.ts'
import type { NextBatch } from './next-batch.ts'
import type { ComputedBatch } from './outputs.ts'
import type { OffsetsByPartition, QueryProgress, SinkProgress, SourceProgress } from './progress.ts'
import type { Stopwatch } from './stopwatch.ts'

/** A finished batch and how long its phases took. */
export interface FinishedBatch {
  readonly next: NextBatch
  readonly plan: PlanEntry
  readonly computed: ComputedBatch
  readonly watch: Stopwatch
}

/**
 * Tells whoever keeps a copy, and the source, which offsets are committed. A failure is reported; the next commit tells
 * again.
 */
export const mirrorOffsets = (parts: DriverParts, entry: CommitEntry): void => {
  parts.committed?.(entry)
  parts.source.committed(entry.partitions).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error)
    parts.emit({ kind: 'warning', code: 'OFFSETS_NOT_MIRRORED', message })
  })
}

/** Feeds the rate estimator with what the batch took and tells of its progress. */
export const learn = (parts: DriverParts, before: DriverState, batch: FinishedBatch): void => {
  const { next, computed, watch } = batch
  const schedulingDelayMs = durationMs(Math.max(0, next.startedAt - next.triggeredAt))
  if (next.logged === null) {
    parts.rate.observe({
      rows: computed.ledger.read,
      bytes: computed.bytesRead,
      outputBytes: computed.outputBytes,
      processingDelayMs: watch.total(),
      schedulingDelayMs,
      intervalMs: next.intervalMs,
      limited: next.explanation?.limited ?? false,
    })
  }
  parts.emit({ kind: 'progress', progress: progressOf(parts, before, batch, schedulingDelayMs) })
  for (const { topic, partition } of computed.onlyAhead) {
    const message =
      `${topic}/${partition} brings event times further ahead of the clock than watermark.maxFuture and no others, and holds the ` +
      'watermark back; look at the clock of its producer'
    parts.warnings.tell('EVENT_TIMES_AHEAD', partitionKey({ topic, partition }), message)
  }
}

const progressOf = (
  parts: DriverParts,
  before: DriverState,
  { next, plan, computed, watch }: FinishedBatch,
  schedulingDelay: number,
): QueryProgress => {
  const rows = computed.ledger.read
  const processingDelay = watch.total()
  const triggerExecution = next.latestOffsetMs + next.queryPlanningMs + processingDelay
  const perSecond = (over: number): number => (over > 0 ? Math.round((rows * 1000) / over) : 0)
  return {
    id: parts.settings.queryId,
    runId: parts.settings.runId,
    name: parts.plan.name,
    timestamp: new Date(next.triggeredAt).toISOString(),
    batchId: plan.batchId,
    batchDuration: Math.round(schedulingDelay + triggerExecution),
    numInputRows: rows,
    inputRowsPerSecond: perSecond(Math.max(next.intervalMs, schedulingDelay + triggerExecution)),
    processedRowsPerSecond: perSecond(triggerExecution),
    durationMs: {
      latestOffset: Math.round(next.latestOffsetMs),
      queryPlanning: Math.round(next.queryPlanningMs),
      walCommit: Math.round(watch.of('walCommit')),
      addBatch: Math.round(watch.of('addBatch')),
      prepare: Math.round(watch.of('prepare')),
      commitOffsets: Math.round(watch.of('commitOffsets')),
      publish: Math.round(watch.of('publish')),
      triggerExecution: Math.round(triggerExecution),
    },
    eventTime: { watermark: leastWatermark(parts, computed) },
    stateOperators: stateOperators(parts, before, computed),
    sources: [sourceProgress(parts, next, plan, computed)],
    sinks: parts.sinks.map((bound, at) => sinkProgress(parts, bound, computed, at)),
    schedulingDelay: Math.round(schedulingDelay),
    processingDelay: Math.round(processingDelay),
    backpressure: {
      rowsPerSecond: finite(next.explanation?.rate ?? null),
      maxRows: next.explanation?.maxRows ?? rows,
      boundBy: next.explanation?.boundBy ?? 'none',
      explanation: next.explanation?.lines ?? ['the plan was found in the log and is run again as it stands'],
    },
    ledger: computed.ledger,
  }
}

const finite = (rate: number | null): number | null => (rate === null || !Number.isFinite(rate) ? null : rate)

const leastWatermark = ({ plan }: DriverParts, { watermarks }: ComputedBatch): string | null => {
  const windowed = watermarks.filter((_, branch) => (plan.branches[branch]?.aggregation?.window ?? null) !== null)
  const least = Math.min(...windowed)
  return Number.isFinite(least) && least > BEFORE_ALL_TIME ? new Date(least).toISOString() : null
}

const stateOperators = ({ plan }: DriverParts, { aggregations }: DriverState, { ledger, rowsAhead }: ComputedBatch) =>
  aggregations.flatMap((aggregation, at) => {
    const branch = plan.branches[at]
    if (aggregation === null || branch === undefined) return []
    const late = droppedFor({ ...ledger, stages: [ledger.stages[at] ?? []] }, 'late')
    const { groups: numRowsTotal, byteSize: memoryUsedBytes, openWindows } = aggregation
    return [
      {
        branch: branch.name,
        numRowsTotal,
        memoryUsedBytes,
        openWindows,
        numRowsDroppedByWatermark: late,
        numRowsAheadOfClock: rowsAhead[at] ?? 0,
      },
    ]
  })

const sourceProgress = (
  { source }: DriverParts,
  { backlog }: NextBatch,
  { ranges }: PlanEntry,
  { ledger, bytesRead }: ComputedBatch,
): SourceProgress => {
  const planned = ranges.reduce((rows, range) => rows + range.until - range.from, 0)
  const waiting = backlog.reduce((rows, { from, latest }) => rows + latest - from, 0)
  return {
    description: source.description,
    startOffset: offsetsOf(ranges.map(({ topic, partition, from }) => [topic, partition, from])),
    endOffset: offsetsOf(ranges.map(({ topic, partition, until }) => [topic, partition, until])),
    latestOffset: offsetsOf(backlog.map(({ topic, partition, latest }) => [topic, partition, latest])),
    lagRows: Math.max(0, waiting - planned),
    numInputRows: ledger.read,
    bytesRead,
  }
}

const offsetsOf = (entries: readonly (readonly [string, number, number])[]): OffsetsByPartition => {
  const byTopic = new Map<string, [number, number][]>()
  for (const [topic, partition, offset] of entries) {
    const offsets = byTopic.get(topic)
    if (offsets === undefined) byTopic.set(topic, [[partition, offset]])
    else offsets.push([partition, offset])
  }
  return Object.fromEntries([...byTopic].map(([topic, offsets]) => [topic, Object.fromEntries(offsets)]))
}

const sinkProgress = ({ plan }: DriverParts, bound: BoundSink, computed: ComputedBatch, at: number): SinkProgress => {
  const output = computed.outputs[at]
  const inFiles = output?.files.reduce((rows, file) => rows + file.rows, 0) ?? 0
  const inRows = output?.rows.reduce((rows, batch) => rows + (batch.selection?.length ?? batch.length), 0) ?? 0
  const branch = bound.branch === null ? 'dead letters' : (plan.branches[bound.branch]?.name ?? '')
  return { branch, description: bound.sink.description, numOutputRows: inFiles + inRows }
}
