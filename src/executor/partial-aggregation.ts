import { present } from '../base/assert.ts'
import { type ColumnBatch, rowCount } from '../columnar/column-batch.ts'
import type { Kernels } from '../columnar/kernels.ts'
import { fieldIndex } from '../columnar/schema.ts'
import type { AggregationNode } from '../pipeline/plan.ts'
import { taskInput, taskSpec } from './aggregation.ts'
import { countDropped, stageCounters, toLedger } from './stages/stage.ts'
import { type EventTimes, NO_EVENT_TIMES, type StageLedger } from './task.ts'
import { type WindowLimits, windowAssigner } from './window-rows.ts'

/** What one task and branch folds its rows into. */
export interface PartialAggregation {
  add(batch: ColumnBatch): void
  /** Accumulators of all groups, or `null` where no row came through. */
  partials(): ColumnBatch | null
  /** Event times of the rows since the last call. */
  takeEventTimes(): EventTimes
  /** `window` (where there is one) and `aggregate`, whose rows all end as `aggregated`. */
  ledger(): readonly StageLedger[]
  /** Gives the memory of the groups back. */
  close(): void
}

/** Groups and aggregates the rows of one task; the driver merges what the tasks give. */
export const partialAggregation = (
  kernels: Kernels,
  aggregation: AggregationNode,
  limits: WindowLimits,
): PartialAggregation => {
  const { window, input } = aggregation
  const schema = taskInput(aggregation)
  const table = kernels.groupTable(schema, taskSpec(aggregation))
  const windowCounters = stageCounters()
  const counters = stageCounters()
  const assigner = window === null ? null : windowAssigner(window, input, limits, windowCounters)
  // with a window, the first column is its start and comes from the assigner
  const sources = schema.fields.slice(window === null ? 0 : 1).map(({ name }) => fieldIndex(input, name))

  const inWindows = (batch: ColumnBatch): ColumnBatch => {
    const columns = sources.map(position => present(batch.columns[position], 'aggregation column'))
    if (assigner === null) return { ...batch, schema, columns }
    const { starts, selection } = assigner.assign(batch)
    return { ...batch, schema, columns: [starts, ...columns], selection }
  }

  return {
    add(batch) {
      const rows = inWindows(batch)
      counters.in += rowCount(rows)
      countDropped(counters, 'aggregated', rowCount(rows))
      if (rowCount(rows) > 0) table.add(rows)
    },
    partials: () => (table.groups === 0 ? null : table.all()),
    takeEventTimes: () => assigner?.takeEventTimes() ?? NO_EVENT_TIMES,
    ledger: () => [...(window === null ? [] : [toLedger('window', windowCounters)]), toLedger('aggregate', counters)],
    close: () => table.dispose(),
  }
}
