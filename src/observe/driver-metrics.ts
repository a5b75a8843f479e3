import type { ErrorCode } from '../base/errors.ts'
import { BEFORE_ALL_TIME } from '../base/units.ts'
import type { BadRecordReason } from '../columnar/kernels.ts'
import type { DriverEvent, QueryProgress } from '../microbatch/progress.ts'
import { type Metric, type Sample, SECONDS_BUCKETS, sample, samplesOf } from './metric.ts'

/** What a driver tells, and how it ended if it failed. */
export type Observed = DriverEvent | { readonly kind: 'failed'; readonly code: ErrorCode }

type Read<Source> = (source: Source) => readonly Sample[]
type Kind = Metric<Observed>['kind']

const metric =
  (kind: Kind, labels: readonly string[] = []) =>
  (name: string, help: string, samples: Read<Observed>): Metric<Observed> => ({
    name: `millrace_${name}`,
    help,
    kind,
    labels,
    buckets: kind === 'histogram' ? SECONDS_BUCKETS : [],
    samples,
  })

const ofBatch =
  (read: Read<QueryProgress>): Read<Observed> =>
  event =>
    event.kind === 'progress' ? read(event.progress) : []

const counter = metric('counter')
const gauge = metric('gauge')
const histogram = metric('histogram')

/** A counter that is there from the beginning shows its first row as a change. */
const NO_BAD_ROWS: Readonly<Record<BadRecordReason, number>> = {
  nullValue: 0,
  tooLarge: 0,
  invalidJson: 0,
  notAnObject: 0,
  missingColumn: 0,
  wrongType: 0,
  outOfRange: 0,
  invalidUtf8: 0,
}

const seconds = (ms: number): number => ms / 1000

/** Stages are numbered from 1 within their branch, as two of them may have the same name. */
const droppedRows = ({ ledger, sinks }: QueryProgress): readonly Sample[] => {
  const branches = branchNames(sinks)
  return ledger.stages.flatMap((stages, branch) =>
    stages.flatMap(({ stage, dropped }, at) =>
      samplesOf(dropped, 'reason', { branch: branches[branch] ?? String(branch), stage: `${at + 1} ${stage}` }),
    ),
  )
}

/** Each branch has a sink at least, and sinks come in the order of branches. */
const branchNames = (sinks: QueryProgress['sinks']): readonly string[] => [
  ...new Set(sinks.map(({ branch }) => branch)),
]

/** The phases that are work of the driver; the whole is a metric of its own. */
const phases = ({ durationMs }: QueryProgress): readonly Sample[] =>
  Object.entries(durationMs)
    .filter(([phase]) => phase !== 'triggerExecution')
    .map(([phase, ms]) => ({ labels: { phase }, value: seconds(ms) }))

const perBranch = (of: (operator: QueryProgress['stateOperators'][number]) => number): Read<Observed> =>
  ofBatch(({ stateOperators }) => stateOperators.map(each => ({ labels: { branch: each.branch }, value: of(each) })))

/** Metrics that change with what a driver tells. */
export const DRIVER_METRICS: readonly Metric<Observed>[] = Object.freeze([
  counter(
    'batches_total',
    'Micro-batches committed and published.',
    ofBatch(() => sample(1)),
  ),
  counter(
    'input_rows_total',
    'Records read from the source.',
    ofBatch(({ numInputRows }) => sample(numInputRows)),
  ),
  counter(
    'input_bytes_total',
    'Bytes of the records read, compressed as the source has them.',
    ofBatch(({ sources }) => sample(sources.reduce((sum, { bytesRead }) => sum + bytesRead, 0))),
  ),
  gauge(
    'input_rows_per_second',
    'Rows of the last batch over the time since the batch before was triggered.',
    ofBatch(({ inputRowsPerSecond }) => sample(inputRowsPerSecond)),
  ),
  gauge(
    'processed_rows_per_second',
    'Rows of the last batch over the time that it took.',
    ofBatch(({ processedRowsPerSecond }) => sample(processedRowsPerSecond)),
  ),
  gauge(
    'rate_limit_rows_per_second',
    'The rate that was learned; NaN without a limit.',
    ofBatch(({ backpressure }) => sample(backpressure.rowsPerSecond ?? Number.NaN)),
  ),
  metric('counter', ['reason'])(
    'bad_rows_total',
    'Records that could not be decoded and went to the dead letters, by reason.',
    ofBatch(({ ledger }) => samplesOf({ ...NO_BAD_ROWS, ...ledger.bad }, 'reason')),
  ),
  metric('counter', ['branch', 'stage', 'reason'])(
    'dropped_rows_total',
    'Rows that ended at a stage, by the reason that the row ledger gives: filtered, late, aggregated, stageError.',
    ofBatch(droppedRows),
  ),
  metric('counter', ['branch', 'sink'])(
    'sink_rows_total',
    'Rows that sinks took.',
    ofBatch(({ sinks }) =>
      sinks.map(({ branch, description, numOutputRows }) => ({
        labels: { branch, sink: description },
        value: numOutputRows,
      })),
    ),
  ),
  histogram(
    'batch_total_delay_seconds',
    'Trigger until the batch is published: scheduling delay and processing time.',
    ofBatch(({ batchDuration }) => sample(seconds(batchDuration))),
  ),
  histogram(
    'batch_scheduling_delay_seconds',
    'Trigger until work on the batch begins.',
    ofBatch(({ schedulingDelay }) => sample(seconds(schedulingDelay))),
  ),
  histogram(
    'batch_processing_seconds',
    'Start of the batch until it is published.',
    ofBatch(({ processingDelay }) => sample(seconds(processingDelay))),
  ),
  metric('histogram', ['phase'])(
    'batch_phase_seconds',
    'Processing time by phase: latestOffset, queryPlanning, walCommit (plan logged), addBatch (read and compute), prepare, commitOffsets (checkpoint), publish.',
    ofBatch(phases),
  ),
  gauge(
    'last_batch_id',
    'Number of the last committed batch.',
    ofBatch(({ batchId }) => sample(batchId)),
  ),
  gauge(
    'watermark_timestamp_seconds',
    'The watermark, as seconds since 1970; nothing before the first row of a window.',
    ofBatch(({ eventTime: { watermark } }) => {
      const at = watermark === null ? BEFORE_ALL_TIME : Date.parse(watermark)
      return at <= BEFORE_ALL_TIME ? [] : sample(seconds(at))
    }),
  ),
  metric('gauge', ['branch'])(
    'state_rows',
    'Groups held in state.',
    perBranch(each => each.numRowsTotal),
  ),
  metric('gauge', ['branch'])(
    'state_bytes',
    'Memory that the state takes.',
    perBranch(each => each.memoryUsedBytes),
  ),
  metric('gauge', ['branch'])(
    'state_open_windows',
    'Windows that are open.',
    perBranch(each => each.openWindows),
  ),
  metric('counter', ['branch'])(
    'rows_ahead_of_clock_total',
    'Rows whose event time is further ahead than watermark.maxFuture: in their windows, without a say in the watermark.',
    perBranch(each => each.numRowsAheadOfClock),
  ),
  gauge('driver_epoch', 'Number of the driver that owns the pipeline; a higher one fences lower ones.', event =>
    event.kind === 'started' ? sample(event.epoch) : [],
  ),
  metric('counter', ['code'])('warnings_total', 'Troubles that the stream survived, by code.', event =>
    event.kind === 'warning' ? [{ labels: { code: event.code }, value: 1 }] : [],
  ),
  metric('counter', ['code'])('failures_total', 'What stopped the driver, by error code.', event =>
    event.kind === 'failed' ? [{ labels: { code: event.code }, value: 1 }] : [],
  ),
])
