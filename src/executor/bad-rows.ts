import { MillraceError } from '../base/errors.ts'
import { type BatchLedger, countsTotal, droppedFor } from './batch-ledger.ts'
import { STAGE_ERROR } from './stages/stage.ts'

/** Few rows say little about a share: below so many, the share is taken of this number. */
const LEAST_ROWS_FOR_SHARE = 1000

/** Stops before anything is prepared where too great a share of the rows is bad. @throws TOO_MANY_BAD_ROWS */
export const refuseTooManyBadRows = (ledger: BatchLedger, maxBadRows: number): void => {
  const bad = countsTotal(ledger.bad) + droppedFor(ledger, STAGE_ERROR)
  const allowed = Math.floor(maxBadRows * Math.max(ledger.read, LEAST_ROWS_FOR_SHARE))
  if (bad <= allowed) return
  const stageErrors = droppedFor(ledger, STAGE_ERROR)
  const reasons = Object.entries({ ...ledger.bad, ...(stageErrors > 0 && { [STAGE_ERROR]: stageErrors }) }).map(
    ([reason, rows]) => `${rows} ${reason}`,
  )
  throw new MillraceError('TOO_MANY_BAD_ROWS', `${bad} of ${ledger.read} rows are bad (${reasons.join(', ')})`, {
    remedy:
      'Nothing of this batch was committed. Correct the schema or the producer, ' +
      'or raise maxBadRows to let such rows go to the dead letters.',
    details: { bad, read: ledger.read, allowed },
  })
}
