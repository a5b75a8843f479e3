import { batchId, epochMs, offset } from '../../base/units.ts'
import type { Checkpoint } from '../../checkpoint/checkpoint.ts'
import type { CommitEntry, PlanEntry } from '../../checkpoint/entries.ts'

/** A plan of ten rows. */
export const planOf = (batch: number): Omit<PlanEntry, 'epoch' | 'nonce'> => ({
  batchId: batchId(batch),
  triggeredAt: epochMs(1_000_000 + batch),
  ranges: [{ topic: 'plays', partition: 0, from: offset(batch * 10), until: offset(batch * 10 + 10) }],
  watermarks: [epochMs(0)],
  flush: false,
})

/** Its commit. */
export const commitOf = (batch: number): Omit<CommitEntry, 'epoch' | 'nonce'> => ({
  batchId: batchId(batch),
  committedAt: epochMs(1_000_000 + batch),
  partitions: [
    {
      topic: 'plays',
      partition: 0,
      offset: offset(batch * 10 + 10),
      maxEventTimes: [null],
      lastRowsAt: epochMs(1_000_000 + batch),
    },
  ],
  watermarks: [epochMs(0)],
  receipts: [],
  state: [null],
  rate: null,
  ledger: {},
})

/** Plans and commits batches one after the other. */
export const runBatches = async (checkpoint: Checkpoint, from: number, until: number): Promise<void> => {
  for (let batch = from; batch < until; batch += 1) {
    await checkpoint.logPlan(planOf(batch))
    await checkpoint.commit(commitOf(batch))
  }
}
