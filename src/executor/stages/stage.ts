import { MillraceError } from '../../base/errors.ts'
import type { ColumnBatch } from '../../columnar/column-batch.ts'
import type { RecordBatch } from '../../columnar/record-batch.ts'
import type { OnStageError } from '../../pipeline/plan.ts'
import type { StageLedger } from '../task.ts'
import { stageFailed } from './stage-failed.ts'

/** Takes the records whose rows a stage could not process; the dead-letter collector of a task is one. */
export interface RejectedRecords {
  add(records: RecordBatch, record: number, reason: string, column: string, message: string): void
}

/** One step of a chain, made ready to run: what comes in is never changed, what goes out may share its columns. */
export type StageStep = (batch: ColumnBatch) => ColumnBatch

/** What a step knows of its surroundings: its name for messages, its counters, and where failing rows go. */
export interface StageScope {
  /** `filter`, `withColumn minutes` … as the ledger shows it. */
  readonly stage: string
  readonly branch: string
  readonly counters: StageCounters
  /**
   * Called for a row whose lambda threw or gave something that does not fit: sends its record to the dead letters
   * and counts it. @throws STAGE_FAILED where the stage is to fail, or where the row was made from many records
   */
  reject(batch: ColumnBatch, row: number, cause: unknown): void
}

/** The mutable side of a `StageLedger`. */
export interface StageCounters {
  in: number
  out: number
  expanded: number
  readonly dropped: Map<string, number>
}

/** Counters of a stage that has seen nothing. */
export const stageCounters = (): StageCounters => ({ in: 0, out: 0, expanded: 0, dropped: new Map() })

/** Counts rows that end at a stage; nothing is noted for none. */
export const countDropped = (counters: StageCounters, reason: string, rows: number): void => {
  if (rows > 0) counters.dropped.set(reason, (counters.dropped.get(reason) ?? 0) + rows)
}

/** What a stage has to say to the row ledger. */
export const toLedger = (stage: string, counters: StageCounters): StageLedger => ({
  stage,
  in: counters.in,
  out: counters.out,
  expanded: counters.expanded,
  dropped: Object.fromEntries(counters.dropped),
})

/** Reason of the row ledger and of dead letters for rows that a stage could not process. */
export const STAGE_ERROR = 'stageError'

/** What the stages of one branch share. */
export const stageScope = (
  where: { readonly stage: string; readonly branch: string },
  onError: OnStageError,
  rejected: RejectedRecords | null,
): StageScope => {
  const counters = stageCounters()
  return {
    ...where,
    counters,
    reject(batch, row, cause) {
      const { origin } = batch
      if (onError === 'fail' || rejected === null || origin === null) throw stageFailed(where, batch, row, cause)
      const reason = cause instanceof Error ? cause.message : String(cause)
      const message = `${where.stage} of branch ${where.branch}: ${reason}`
      rejected.add(origin.records, origin.recordOf[row] as number, STAGE_ERROR, columnOf(cause), message)
      countDropped(counters, STAGE_ERROR, 1)
    },
  }
}

/** The column that a value did not fit, where that is what was wrong. */
const columnOf = (cause: unknown): string => {
  const column = cause instanceof MillraceError ? cause.details['column'] : undefined
  return typeof column === 'string' ? column : ''
}
