import { assert } from '../base/assert.ts'
import type { StageLedger, TaskLedger } from './task.ts'

const total = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, rows) => sum + rows, 0)

/**
 * States that every record of a task is accounted for: `read = decoded + bad`, for each stage
 * `in + expanded = out + dropped`, and each stage takes in what the one before put out. @throws BUG where it is not so
 */
export const checkLedger = ({ ledger }: { readonly ledger: TaskLedger }): void => {
  const bad = total(ledger.bad)
  assert(ledger.read === ledger.decoded + bad, `${ledger.read} records read, ${ledger.decoded} decoded, ${bad} bad`)
  for (const stages of ledger.stages) checkBranch(ledger.decoded, stages)
}

const checkBranch = (decoded: number, stages: readonly StageLedger[]): void => {
  let before = decoded
  for (const { stage, in: rows, out, expanded, dropped } of stages) {
    assert(rows === before, `stage ${stage} took in ${rows} rows of ${before}`)
    const gone = total(dropped)
    assert(
      rows + expanded === out + gone,
      `stage ${stage}: ${rows} in + ${expanded} more, ${out} out + ${gone} dropped`,
    )
    before = out
  }
}
