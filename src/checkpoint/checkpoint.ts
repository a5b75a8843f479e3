import type { BatchId, DriverEpoch } from '../base/units.ts'
import type { CheckpointHeader, CommitEntry, PlanEntry, StateManifest } from './entries.ts'

/**
 * The durable truth of one pipeline. Owned by one driver at a time: opening it takes a new epoch, which fences every
 * driver before. Only conditional creates decide anything; listings are hints.
 */
export interface Checkpoint {
  readonly epoch: DriverEpoch
  /** The header the checkpoint was created with. */
  readonly header: CheckpointHeader
  /**
   * What is there now: the newest commit (if any) and the plan after it that a crash left without a commit (if any).
   * Called at start and after an adoption. @throws FENCED where an entry is of a higher epoch
   */
  recover(): Promise<RecoveryPoint>
  /**
   * Writes plan N. @returns the plan that counts: ours, or one that a lower epoch's driver wrote first (adopted).
   * @throws FENCED where a higher epoch exists
   */
  logPlan(plan: Omit<PlanEntry, 'epoch' | 'nonce'>): Promise<PlanEntry>
  /**
   * Writes commit N, the moment of truth. `adopted` where a lower epoch's driver finished the batch first: its commit
   * counts, what we prepared must be dropped and state be loaded anew. @throws FENCED
   */
  commit(
    entry: Omit<CommitEntry, 'epoch' | 'nonce'>,
  ): Promise<{ readonly entry: CommitEntry; readonly adopted: boolean }>
  /** Notes that everything that commit N lists is visible: a driver that ends may say so, and its successor may have fewer sinks. */
  notePublished(batchId: BatchId): Promise<void>
  /** Whether a driver noted that all of batch N is visible; it may be so without. */
  wasPublished(batchId: BatchId): Promise<boolean>
  /** Whether somebody has written plan N: an idle driver learns that one before it woke and went on. */
  isPlanned(batchId: BatchId): Promise<boolean>
  /** Entries of a batch, for status and repair; `null` where pruned or not there. */
  readCommit(batchId: BatchId): Promise<CommitEntry | null>
  /** Writes bytes of state under a new name; nothing counts before a commit lists it. */
  writeState(
    branch: number,
    batchId: BatchId,
    part: 'snapshot' | 'changes',
    bytes: Uint8Array,
  ): Promise<StateManifest['changes'][number]>
  /** @throws CHECKPOINT_DAMAGED where size or checksum differ or the object is gone */
  readState(object: StateManifest['changes'][number]): Promise<Uint8Array>
  /** Looks whether this driver still owns the pipeline, without changing anything. @throws FENCED, STORE_FAILED */
  requireOwnership(): Promise<void>
  /** Removes entries and state objects that no recovery can need (`retainBatches` are kept, 100 at least). */
  prune(newest: CommitEntry): Promise<void>
}

export interface RecoveryPoint {
  readonly commit: CommitEntry | null
  readonly openPlan: PlanEntry | null
}
