import { assert } from '../base/assert.ts'
import type { StageLedger, TaskLedger } from './task.ts'

/** Where the rows of a micro-batch, or of a pipeline's whole life, went. Adds up as `TaskLedger` says. */
export type BatchLedger = TaskLedger

const addCounts = (
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> => {
  const total: Record<string, number> = { ...a }
  for (const [reason, rows] of Object.entries(b)) total[reason] = (total[reason] ?? 0) + rows
  return total
}

const addStage = (a: StageLedger, b: StageLedger): StageLedger => ({
  stage: a.stage,
  in: a.in + b.in,
  out: a.out + b.out,
  expanded: a.expanded + b.expanded,
  dropped: addCounts(a.dropped, b.dropped),
})

/** Sum of two ledgers of the same pipeline. */
export const addLedgers = (a: BatchLedger, b: BatchLedger): BatchLedger => ({
  read: a.read + b.read,
  decoded: a.decoded + b.decoded,
  bad: addCounts(a.bad, b.bad),
  stages: b.stages.map((stages, branch) =>
    stages.map((stage, index) => {
      const before = a.stages[branch]?.[index]
      // a pipeline whose stages changed begins its stage totals anew: rows of another stage are not added
      return before !== undefined && before.stage === stage.stage ? addStage(before, stage) : stage
    }),
  ),
})

export const emptyLedger: BatchLedger = Object.freeze({ read: 0, decoded: 0, bad: {}, stages: [] })

/** One ledger for the tasks of a batch. */
export const sumLedgers = (ledgers: readonly BatchLedger[]): BatchLedger => ledgers.reduce(addLedgers, emptyLedger)

/** The sum of counts, whatever they count. */
export const countsTotal = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, rows) => total + rows, 0)

/** Rows that ended for one reason, over all branches and stages. */
export const droppedFor = (ledger: BatchLedger, reason: string): number =>
  ledger.stages.flat().reduce((rows, stage) => rows + (stage.dropped[reason] ?? 0), 0)

/** Stops the pipeline rather than commit a batch whose rows don't add up. */
export const assertLedgerAddsUp = (ledger: BatchLedger): void => {
  assert(
    ledger.read === ledger.decoded + countsTotal(ledger.bad),
    `${ledger.read} records were read, ${ledger.decoded} decoded and ${countsTotal(ledger.bad)} bad`,
  )
  for (const stage of ledger.stages.flat()) {
    assert(
      stage.in + stage.expanded === stage.out + countsTotal(stage.dropped),
      `stage ${stage.stage} took ${stage.in} rows, added ${stage.expanded}, put out ${stage.out} and dropped ${countsTotal(stage.dropped)}`,
    )
  }
}
