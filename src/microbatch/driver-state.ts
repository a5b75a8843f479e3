import type { JsonValue } from '../base/json.ts'
import { mapBounded } from '../base/map-bounded.ts'
import { type BatchId, batchId, type EpochMs } from '../base/units.ts'
import type { CommitEntry, PlanEntry, StateManifest } from '../checkpoint/entries.ts'
import type { AggregationState } from '../executor/aggregation-state.ts'
import { addLedgers, type BatchLedger } from '../executor/batch-ledger.ts'
import { nextLogWrite } from '../storage/log-merging.ts'
import type { NamedReceipt } from './deliver.ts'
import type { DriverParts } from './driver-parts.ts'
import type { ComputedBatch } from './outputs.ts'
import { advancePartitions, type Position } from './plan-batch.ts'

/** How a commit went, and the state that follows from it. */
export interface Committed {
  readonly entry: CommitEntry
  readonly adopted: boolean
  readonly state: DriverState
}

/**
 * What a driver knows between two batches. All of it can be had from the checkpoint again; `commit` is the only
 * way from one state to the next.
 */
export class DriverState {
  readonly nextBatchId: BatchId
  readonly position: Position
  /** Where the state of each branch lies in the store. */
  readonly manifests: readonly (StateManifest | null)[]
  /** The same state in memory, one for each branch. */
  readonly aggregations: readonly (AggregationState | null)[]
  /** Sum over the pipeline's life. */
  readonly totals: BatchLedger

  constructor(
    nextBatchId: BatchId,
    position: Position,
    manifests: readonly (StateManifest | null)[],
    aggregations: readonly (AggregationState | null)[],
    totals: BatchLedger,
  ) {
    this.nextBatchId = nextBatchId
    this.position = position
    this.manifests = manifests
    this.aggregations = aggregations
    this.totals = totals
  }

  /** The batch that this state comes after. Only for a state that a commit led to. */
  get lastBatchId(): BatchId {
    return batchId(this.nextBatchId - 1)
  }

  /** With another position; everything else as it is (new partitions were found). */
  at(position: Position): DriverState {
    return new DriverState(this.nextBatchId, position, this.manifests, this.aggregations, this.totals)
  }

  /** Writes what changed in the state, then the commit entry that lists it. */
  async commit(
    parts: DriverParts,
    plan: PlanEntry,
    computed: ComputedBatch,
    receipts: readonly NamedReceipt[],
  ): Promise<Committed> {
    const now = parts.clock.nowMs()
    const manifests: (StateManifest | null)[] = []
    for (const [branch, aggregation] of this.aggregations.entries()) {
      const before = this.manifests[branch] ?? null
      manifests.push(aggregation === null ? null : await writeState(parts, plan.batchId, branch, aggregation, before))
    }
    const partitions = advancePartitions(this.position.partitions, plan.ranges, computed.maxEventTimes, now)
    const watermarks: readonly EpochMs[] = computed.watermarks
    const totals = addLedgers(this.totals, computed.ledger)
    const { entry, adopted } = await parts.checkpoint.commit({
      batchId: plan.batchId,
      committedAt: now,
      partitions,
      watermarks,
      receipts,
      state: manifests,
      rate: parts.rate.snapshot(),
      ledger: { batch: computed.ledger, totals } as unknown as JsonValue,
    })
    const position = { partitions, watermarks }
    const state = new DriverState(batchId(plan.batchId + 1), position, manifests, this.aggregations, totals)
    return { entry, adopted, state }
  }
}

/** Writes the batch's change to the branch's state log, alone or with changes before it, or begins the log anew. */
const writeState = async (
  parts: DriverParts,
  id: BatchId,
  branch: number,
  aggregation: AggregationState,
  before: StateManifest | null,
): Promise<StateManifest | null> => {
  const change = aggregation.takeChange()
  if (change === null) return before
  const { checkpoint } = parts
  const write = nextLogWrite(before?.changes ?? [], change.byteLength, aggregation.byteSize)
  if (write.kind === 'snapshot') {
    const snapshot = await checkpoint.writeState(branch, id, 'snapshot', aggregation.snapshot())
    return { snapshot, changes: [] }
  }
  const earlier = before?.changes ?? []
  const kept = earlier.slice(0, earlier.length - write.merged)
  const merged = await mapBounded(earlier.slice(kept.length), PARALLEL_READS, each => checkpoint.readState(each))
  const bytes = merged.length === 0 ? change : aggregation.mergeChanges([...merged, change])
  const written = await checkpoint.writeState(branch, id, 'changes', bytes)
  return { snapshot: before?.snapshot ?? null, changes: [...kept, written] }
}

/** Objects that are read at once. */
const PARALLEL_READS = 8
