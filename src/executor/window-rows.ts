import { assert } from '../base/assert.ts'
import type { TimeRange } from '../base/hours.ts'
import { AFTER_ALL_TIME, BEFORE_ALL_TIME, type EpochMs, epochMs } from '../base/units.ts'
import { type Column, type Int64Column, isValid } from '../columnar/column.ts'
import { type ColumnBatch, rowCount } from '../columnar/column-batch.ts'
import { int64Words, readInt64, writeInt64 } from '../columnar/int64-words.ts'
import { fieldIndex, type TableSchema } from '../columnar/schema.ts'
import type { TumblingWindow } from '../pipeline/plan.ts'
import { countDropped, type StageCounters } from './stages/stage.ts'
import type { EventTimes } from './task.ts'

/** Start of the window that holds `eventTime`: floor((t - offset) / size) * size + offset, also before 1970. */
const windowStart = (eventTime: number, { sizeMs, offsetMs }: Pick<TumblingWindow, 'sizeMs' | 'offsetMs'>) =>
  Math.floor((eventTime - offsetMs) / sizeMs) * sizeMs + offsetMs

/** Puts rows into their windows; made once for each task and branch. */
export interface WindowAssigner {
  /**
   * Start of each row's window, and which rows count. Dropped: `nullEventTime`, `late` (their window ends at or
   * before the watermark), `eventTimeOutOfRange` (not a date), `otherHour` (batch jobs). Starts of rows that don't count mean nothing.
   */
  assign(batch: ColumnBatch): WindowedRows
  /** Event times of the rows since the last call. */
  takeEventTimes(): EventTimes
}

/** What becomes of a batch in its windows. */
interface WindowedRows {
  readonly starts: Int64Column
  /** Rising positions of the rows that count; `null` where all do. */
  readonly selection: Int32Array | null
}

export interface WindowLimits {
  /** The branch's watermark as logged in the plan. */
  readonly watermark: EpochMs
  /** Rows with a later event time are in their windows but say nothing of time: a clock that is ahead must not close everybody's windows. */
  readonly maxEventTime: EpochMs
  /** Batch jobs: windows that start elsewhere are not wanted. */
  readonly wanted: TimeRange | null
}

/** Puts rows into their windows, drops late ones and keeps the greatest event time. */
export const windowAssigner = (
  window: TumblingWindow,
  input: TableSchema,
  limits: WindowLimits,
  counters: StageCounters,
): WindowAssigner => {
  const position = fieldIndex(input, window.eventTime)
  let greatest = Number.NEGATIVE_INFINITY
  let ahead = 0
  return {
    takeEventTimes() {
      const taken = { greatest: greatest === Number.NEGATIVE_INFINITY ? null : epochMs(greatest), rowsAhead: ahead }
      greatest = Number.NEGATIVE_INFINITY
      ahead = 0
      return taken
    },
    assign(batch) {
      const rows = rowCount(batch)
      const assigned = assignRows(batch, timestampColumn(batch.columns[position]), window, limits)
      greatest = Math.max(greatest, assigned.greatest)
      ahead += assigned.ahead
      counters.in += rows
      counters.out += assigned.selection.length
      countDropped(counters, 'late', assigned.late)
      countDropped(counters, 'nullEventTime', assigned.nulls)
      countDropped(counters, 'eventTimeOutOfRange', assigned.outOfRange)
      countDropped(counters, 'otherHour', assigned.otherHour)
      const selection = assigned.selection.length === batch.length ? null : assigned.selection
      return { starts: assigned.starts, selection }
    },
  }
}

const timestampColumn = (column: Column | undefined): Int64Column => {
  assert(column?.kind === 'timestamp', 'event time is a timestamp column')
  return column
}

const assignRows = (batch: ColumnBatch, times: Int64Column, window: TumblingWindow, limits: WindowLimits) => {
  const { watermark, maxEventTime } = limits
  const from = limits.wanted?.from ?? Number.NEGATIVE_INFINITY
  const until = limits.wanted?.until ?? Number.POSITIVE_INFINITY
  const { selection } = batch
  const rows = rowCount(batch)
  const starts = new BigInt64Array(batch.length)
  const startWords = int64Words(starts)
  const timeWords = int64Words(times.values)
  const kept = new Int32Array(rows)
  let count = 0
  let late = 0
  let nulls = 0
  let outOfRange = 0
  let otherHour = 0
  let ahead = 0
  let greatest = Number.NEGATIVE_INFINITY
  for (let at = 0; at < rows; at++) {
    const row = selection === null ? at : (selection[at] as number)
    if (times.validity !== null && !isValid(times, row)) {
      nulls++
      continue
    }
    const time = readInt64(timeWords, row)
    if (time < BEFORE_ALL_TIME || time > AFTER_ALL_TIME) {
      outOfRange++
      continue
    }
    if (time > maxEventTime) ahead++
    else if (time > greatest) greatest = time
    const start = windowStart(time, window)
    if (start + window.sizeMs <= watermark) {
      late++
      continue
    }
    if (start < from || start >= until) {
      otherHour++
      continue
    }
    writeInt64(startWords, row, start)
    kept[count++] = row
  }
  const column: Int64Column = { kind: 'timestamp', length: batch.length, validity: null, values: starts }
  return { starts: column, selection: kept.subarray(0, count), greatest, ahead, late, nulls, outOfRange, otherHour }
}
