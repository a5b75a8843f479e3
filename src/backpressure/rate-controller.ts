import type { JsonValue } from '../base/json.ts'
import { type DurationMs, durationMs, type RowsPerSecond, rowsPerSecond } from '../base/units.ts'
import { OverheadEstimator, readOverheadSnapshot } from './overhead.ts'

export interface RateOptions {
  /** Without it there is no limit but those in bytes. */
  readonly enabled: boolean
  /** Where the rate starts when nothing was learned yet, so that the first batches are no flood. */
  readonly initialRate: RowsPerSecond
  readonly minRate: RowsPerSecond
  /** `null` for no upper bound. */
  readonly maxRate: RowsPerSecond | null
  /** The rate may grow by this factor from batch to batch. */
  readonly growth: number
  /** Weights of the PID: of the error, of the rows that wait, and of the error's change. */
  readonly proportional: number
  readonly integral: number
  readonly derivative: number
  /** A batch is planned to read about so many bytes at most. */
  readonly maxBatchBytes: number
  /** And to give about so many, which wait in memory for its end. */
  readonly maxOutputBytes: number
}

/** What a finished batch teaches. */
export interface ObservedBatch {
  readonly rows: number
  /** Bytes read. */
  readonly bytes: number
  /** Bytes of what its tasks gave, files and rows. */
  readonly outputBytes: number
  /** Start to publication. */
  readonly processingDelayMs: DurationMs
  /** Trigger to start. */
  readonly schedulingDelayMs: DurationMs
  /** The time that its rows were planned for. */
  readonly intervalMs: DurationMs
  /** Whether more rows waited than the limit let in. */
  readonly limited: boolean
}

/** How many rows a batch may have, and why. */
export interface BatchLimit {
  readonly maxRows: number
  readonly boundBy: 'rate' | 'bytes' | 'output' | 'nothing'
  readonly rate: RowsPerSecond
  readonly intervalMs: DurationMs
  /** Fixed cost of a batch, as learned. */
  readonly overheadMs: DurationMs
  /** Bytes read and given per row, as learned; `null` before the first row. */
  readonly bytesPerRow: number | null
  readonly outputPerRow: number | null
}

/** The learned rate of a pipeline and how it becomes a number of rows. Pure: no clock, no chance. */
export interface RateController {
  limit(intervalMs: DurationMs): BatchLimit
  /** From the start of a batch of so many rows to the start of the next this time passes at least, or `maxRate` is exceeded. */
  leastTime(rows: number): DurationMs
  observe(batch: ObservedBatch): void
  /** What goes into the checkpoint, so that a restart does not begin from the initial rate. */
  snapshot(): JsonValue
}

/** A controller that goes on from a snapshot, if there is one that can be read. */
export const rateController = (options: RateOptions, snapshot: JsonValue = null): RateController =>
  new PidRateController(options, readSnapshot(snapshot))

interface RateSnapshot {
  readonly rate: number
  readonly error: number
  readonly bytesPerRow: number | null
  readonly outputPerRow: number | null
  readonly overhead: JsonValue
}

const readSnapshot = (value: JsonValue): RateSnapshot | null => {
  const fields = value as Partial<RateSnapshot> | null
  if (typeof fields?.rate !== 'number' || !Number.isFinite(fields.rate) || !(fields.rate > 0)) return null
  return {
    rate: fields.rate,
    error: Number(fields.error) || 0,
    bytesPerRow: readMean(fields.bytesPerRow),
    outputPerRow: readMean(fields.outputPerRow),
    overhead: fields.overhead ?? null,
  }
}

const readMean = (mean: unknown): number | null => (typeof mean === 'number' && mean >= 0 ? mean : null)

/** Weight of a batch in the mean of bytes per row. */
const BYTES_WEIGHT = 0.3

const weighted = (mean: number | null, perRow: number): number =>
  mean === null ? perRow : mean + BYTES_WEIGHT * (perRow - mean)

/** Rows that fit into so many bytes, one at least. */
const rowsWithin = (bytes: number, perRow: number | null): number =>
  perRow === null ? Infinity : Math.max(1, Math.floor(bytes / perRow))
/** Rows take so much of a batch's time at least, whatever the overhead is believed to be. */
const LEAST_WORK = 0.1
const LEAST_WORK_MS = 0.01
/** A batch that was not limited counts in full from this share of the allowed rows on. */
const TELLING_SHARE = 0.1

/**
 * Spark's PIDRateEstimator (org.apache.spark.streaming.scheduler.rate), with its formula
 *
 *     error      = rate − processingRate
 *     historical = schedulingDelay · processingRate / interval
 *     newRate    = max(minRate, rate − Kp·error − Ki·historical − Kd·dError/dt)
 *
 * and these differences: the processing rate is rows over time *without the fixed overhead of a batch*, and the error
 * counts by the share of the time that rows took, because the rest says nothing about them; the rate starts low and at
 * most doubles, instead of being unlimited until the second batch is through; a batch that was not limited (there
 * was less to do) does not raise the rate, nor lower it while it keeps its interval, and one of very few rows hardly
 * counts, as it tells of a pause (a thread that started, a store that hung) and not of what rows cost; and a scheduling
 * delay counts only where the interval can be kept at all.
 */
class PidRateController implements RateController {
  readonly #options: RateOptions
  readonly #overhead: OverheadEstimator
  #rate: number
  #error: number
  #bytesPerRow: number | null
  #outputPerRow: number | null

  constructor(options: RateOptions, snapshot: RateSnapshot | null) {
    this.#options = options
    this.#rate = this.#bounded(snapshot?.rate ?? options.initialRate)
    this.#error = snapshot?.error ?? 0
    this.#bytesPerRow = snapshot?.bytesPerRow ?? null
    this.#outputPerRow = snapshot?.outputPerRow ?? null
    this.#overhead = new OverheadEstimator(readOverheadSnapshot(snapshot?.overhead))
  }

  limit(intervalMs: DurationMs): BatchLimit {
    const { enabled, maxBatchBytes, maxOutputBytes } = this.#options
    const overheadMs = this.#overhead.overheadMs
    const limits = [
      ['output', rowsWithin(maxOutputBytes, this.#outputPerRow)],
      ['bytes', rowsWithin(maxBatchBytes, this.#bytesPerRow)],
      ['rate', enabled ? Math.max(1, Math.floor((this.#rate * rowTime(intervalMs, overheadMs)) / 1000)) : Infinity],
    ] as const
    const maxRows = Math.min(...limits.map(([, rows]) => rows))
    const bound = limits.findLast(([, rows]) => rows === maxRows)
    return {
      maxRows,
      boundBy: maxRows === Infinity || bound === undefined ? 'nothing' : bound[0],
      rate: rowsPerSecond(enabled ? Math.round(this.#rate) : Infinity),
      intervalMs,
      overheadMs,
      bytesPerRow: this.#bytesPerRow,
      outputPerRow: this.#outputPerRow,
    }
  }

  leastTime(rows: number): DurationMs {
    const { enabled, maxRate } = this.#options
    return durationMs(enabled && maxRate !== null ? Math.ceil((rows * 1000) / maxRate) : 0)
  }

  observe(batch: ObservedBatch): void {
    const { rows, bytes, outputBytes, processingDelayMs: ms } = batch
    if (rows === 0) return
    this.#overhead.observe(rows, ms)
    this.#bytesPerRow = weighted(this.#bytesPerRow, bytes / rows)
    this.#outputPerRow = weighted(this.#outputPerRow, outputBytes / rows)
    if (!batch.limited && ms <= batch.intervalMs) return
    this.#rate = this.#nextRate(batch)
  }

  snapshot(): JsonValue {
    const overhead = this.#overhead.snapshot() as unknown as JsonValue
    return {
      rate: this.#rate,
      error: this.#error,
      bytesPerRow: this.#bytesPerRow,
      outputPerRow: this.#outputPerRow,
      overhead,
    }
  }

  #nextRate({ rows, processingDelayMs, schedulingDelayMs, intervalMs, limited }: ObservedBatch): number {
    const { proportional, integral, derivative, growth } = this.#options
    const overheadMs = this.#overhead.overheadMs
    const workMs = Math.max(processingDelayMs - overheadMs, LEAST_WORK * processingDelayMs, LEAST_WORK_MS)
    const workShare = Math.min(1, workMs / Math.max(processingDelayMs, LEAST_WORK_MS))
    const processingRate = (rows * 1000) / workMs
    const error = this.#rate - processingRate
    const canKeepUp = intervalMs > 0 && rowTime(intervalMs, overheadMs) + overheadMs <= intervalMs
    const historical = canKeepUp ? (schedulingDelayMs * processingRate) / intervalMs : 0
    const seconds = Math.max(intervalMs, processingDelayMs) / 1000
    const change = seconds > 0 ? (error - this.#error) / seconds : 0
    this.#error = error
    const allowed = (this.#rate * rowTime(intervalMs, overheadMs)) / 1000
    const weight = limited ? 1 : Math.min(1, rows / Math.max(1, TELLING_SHARE * allowed))
    const next = this.#rate - weight * (proportional * workShare * error + integral * historical + derivative * change)
    return this.#bounded(Math.min(next, this.#rate * growth))
  }

  #bounded(rate: number): number {
    const { minRate, maxRate } = this.#options
    return Math.min(Math.max(minRate, rate), maxRate ?? Infinity)
  }
}

/**
 * Time of an interval that is left for rows. Where overhead takes most of it, rows get as much time as the overhead
 * itself: batches then take longer than the interval, but half of all time at least goes into rows.
 */
const rowTime = (intervalMs: DurationMs, overheadMs: DurationMs): DurationMs =>
  durationMs(Math.max(intervalMs - overheadMs, overheadMs))
