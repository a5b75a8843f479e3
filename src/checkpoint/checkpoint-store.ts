import type { Clock } from '../base/clock.ts'
import { crc32cHex } from '../base/crc32c.ts'
import { MillraceError } from '../base/errors.ts'
import type { JsonValue } from '../base/json.ts'
import type { Random } from '../base/random.ts'
import { type BatchId, type DriverEpoch, driverEpoch } from '../base/units.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { requireAtomicWrites } from '../storage/require-atomic-writes.ts'
import type { Checkpoint, RecoveryPoint } from './checkpoint.ts'
import { CheckpointLayout, type GenerationLayout } from './checkpoint-layout.ts'
import { createEntry, type EntryWriter } from './create-entry.ts'
import type { CheckpointHeader, CommitEntry, PlanEntry, StateObject } from './entries.ts'
import { readCommitEntry, readHeader, readPlanEntry } from './entry-checks.ts'
import { CHECKPOINT_FORMAT, damaged, decodeEntry, encodeEntry } from './entry-codec.ts'
import { fenced } from './fenced.ts'
import { newestCommit, newestGeneration, newestPlan, pruneGeneration } from './log-files.ts'
import { patiently } from './patience.ts'
import { shapeDifferences } from './shape-differences.ts'

/** What a checkpoint is opened with. */
export interface CheckpointOptions {
  readonly store: ObjectStore
  readonly pipeline: string
  /** The source's incarnation, and what state and offsets depend on; compared with what the checkpoint was made for. */
  readonly sourceIdentity: string
  readonly shape: JsonValue
  readonly clock: Clock
  readonly random: Random
  /** Batches whose entries are kept; fewer than 100 count as 100. */
  readonly retainBatches: number
  /** `new` begins a checkpoint beside the old one, which is kept but no longer used. */
  readonly mode: 'continue' | 'new'
}

const LEAST_RETAINED_BATCHES = 100

/**
 * Takes the next epoch, which fences every driver before, and opens the pipeline's checkpoint or makes one.
 * @throws CHECKPOINT_OF_OTHER_PIPELINE, PLAN_CHANGED, TOPIC_RECREATED, CHECKPOINT_DAMAGED, CHECKPOINT_FORMAT_NEWER, and
 *   STORE_NOT_ATOMIC where a new checkpoint's store fails its trial
 */
export const openCheckpoint = async (options: CheckpointOptions): Promise<Checkpoint> => {
  const { store, pipeline, clock, mode } = options
  const layout = new CheckpointLayout(pipeline)
  const newest = await patiently(clock, () => newestGeneration(store, layout))
  // a checkpoint that can't be used is refused before its owner is fenced
  if (newest > 0 && mode === 'continue') await requireFittingHeader(options, layout.generation(newest))
  else if (store.conditionalWrites === 'unproven') await requireAtomicWrites(store, layout.trials, options.random)
  const epoch = await takeEpoch(options, layout)
  // the driver that we have just fenced may have begun a new checkpoint since
  const current = await patiently(clock, () => newestGeneration(store, layout))
  const generation = layout.generation(current > 0 && mode === 'continue' ? current : current + 1)
  const header = await createHeader(options, generation)
  return new StoredCheckpoint(options, layout, generation, epoch, header)
}

const takeEpoch = async (options: CheckpointOptions, layout: CheckpointLayout): Promise<DriverEpoch> => {
  const { store, random, clock } = options
  const highest = await patiently(clock, () => highestEpoch(store, layout))
  // the listing is a hint: only a create says which epoch is free. One whose answer was lost is left unused
  for (let epoch = highest + 1; ; epoch += 1) {
    const entry = encodeEntry({ epoch, nonce: random.nonce() })
    const outcome = await patiently(clock, () => store.createOnly(layout.epoch(epoch), entry))
    if (outcome === 'created') return driverEpoch(epoch)
  }
}

const highestEpoch = async (store: ObjectStore, layout: CheckpointLayout): Promise<number> => {
  let highest = 0
  for await (const { key } of store.list(layout.epochs)) highest = Math.max(highest, layout.epochOf(key) ?? 0)
  return highest
}

const headerOf = async (store: ObjectStore, generation: GenerationLayout): Promise<CheckpointHeader> => {
  const bytes = await store.get(generation.header)
  if (bytes === null) throw damaged(generation.header, 'it is gone')
  return readHeader(generation.header, decodeEntry(generation.header, bytes))
}

const requireFittingHeader = async (options: CheckpointOptions, generation: GenerationLayout) => {
  const header = await patiently(options.clock, () => headerOf(options.store, generation))
  requireFitting(header, options)
  return header
}

const createHeader = async (options: CheckpointOptions, generation: GenerationLayout): Promise<CheckpointHeader> => {
  const { store, pipeline, sourceIdentity, shape, clock } = options
  const header: CheckpointHeader = { format: CHECKPOINT_FORMAT, pipeline, sourceIdentity, shape }
  const outcome = await patiently(clock, () => store.createOnly(generation.header, encodeEntry(header)))
  return outcome === 'created' ? header : requireFittingHeader(options, generation)
}

const requireFitting = (header: CheckpointHeader, { pipeline, sourceIdentity, shape }: CheckpointOptions): void => {
  if (header.pipeline !== pipeline) {
    throw new MillraceError(
      'CHECKPOINT_OF_OTHER_PIPELINE',
      `the checkpoint belongs to ${header.pipeline}, not ${pipeline}`,
      {
        remedy: 'Give each pipeline a name and a root of its own.',
      },
    )
  }
  const differences = shapeDifferences(header.shape, shape)
  if (differences.length > 0) {
    throw new MillraceError(
      'PLAN_CHANGED',
      `the plan of ${pipeline} changed in a way that its state can't follow: ${differences.join('; ')}`,
      {
        remedy: 'Go back to the old plan, give the pipeline a new name, or start anew with --new-checkpoint.',
      },
    )
  }
  if (header.sourceIdentity !== sourceIdentity) {
    throw new MillraceError(
      'TOPIC_RECREATED',
      `the source of ${pipeline} was made anew: its id was ${header.sourceIdentity} and is ${sourceIdentity}`,
      {
        remedy: 'Offsets of the old topic mean nothing in the new one: start anew with --new-checkpoint.',
      },
    )
  }
}

class StoredCheckpoint implements Checkpoint {
  readonly epoch: DriverEpoch
  readonly header: CheckpointHeader
  readonly #options: CheckpointOptions
  readonly #layout: CheckpointLayout
  readonly #generation: GenerationLayout
  readonly #writer: EntryWriter

  constructor(
    options: CheckpointOptions,
    layout: CheckpointLayout,
    generation: GenerationLayout,
    epoch: DriverEpoch,
    header: CheckpointHeader,
  ) {
    this.#options = options
    this.#layout = layout
    this.#generation = generation
    this.epoch = epoch
    this.header = header
    this.#writer = { store: options.store, clock: options.clock, pipeline: options.pipeline, epoch }
  }

  async recover(): Promise<RecoveryPoint> {
    const point = await this.#patiently(() => recoveryPoint(this.#options.store, this.#generation))
    // an open plan is run without being written again: whoever finds a successor's must not
    const seen = Math.max(point.commit?.epoch ?? 0, point.openPlan?.epoch ?? 0)
    if (seen > this.epoch) throw fenced(this.#options.pipeline, this.epoch, seen)
    return point
  }

  async logPlan(plan: Omit<PlanEntry, 'epoch' | 'nonce'>): Promise<PlanEntry> {
    await this.requireOwnership()
    const key = this.#generation.plan(plan.batchId)
    const own: PlanEntry = { ...plan, epoch: this.epoch, nonce: this.#options.random.nonce() }
    const { entry } = await createEntry(this.#writer, key, own, (at, fields) => readPlanEntry(at, fields, plan.batchId))
    return entry
  }

  async commit(
    commit: Omit<CommitEntry, 'epoch' | 'nonce'>,
  ): Promise<{ readonly entry: CommitEntry; readonly adopted: boolean }> {
    const key = this.#generation.commit(commit.batchId)
    const own: CommitEntry = { ...commit, epoch: this.epoch, nonce: this.#options.random.nonce() }
    const committed = await createEntry(this.#writer, key, own, (at, fields) =>
      readCommitEntry(at, fields, commit.batchId),
    )
    // a driver that was stopped while others ran so many batches that this entry was pruned has written it anew, and
    // must not publish it. Where the entry does count, the successor publishes it
    if (!committed.adopted) await this.requireOwnership()
    return committed
  }

  async notePublished(batch: BatchId): Promise<void> {
    const key = this.#generation.publication(batch)
    // where it exists, another driver has found the same
    await this.#patiently(() => this.#options.store.createOnly(key, encodeEntry({ batchId: batch })))
  }

  async wasPublished(batch: BatchId): Promise<boolean> {
    return (await this.#patiently(() => this.#options.store.head(this.#generation.publication(batch)))) !== null
  }

  async isPlanned(batch: BatchId): Promise<boolean> {
    return (await this.#patiently(() => this.#options.store.head(this.#generation.plan(batch)))) !== null
  }

  readCommit(batch: BatchId): Promise<CommitEntry | null> {
    return this.#patiently(() => readCommit(this.#options.store, this.#generation, batch))
  }

  async writeState(
    branch: number,
    batch: BatchId,
    part: 'snapshot' | 'changes',
    bytes: Uint8Array,
  ): Promise<StateObject> {
    const { store, random } = this.#options
    const key = this.#generation.state(batch, branch, part, random.nonce())
    // where it exists, it is ours: the answer was lost
    await this.#patiently(() => store.createOnly(key, bytes))
    return { key, size: bytes.length, crc32c: crc32cHex(bytes) }
  }

  async readState({ key, size, crc32c }: StateObject): Promise<Uint8Array> {
    const bytes = await this.#patiently(() => this.#options.store.get(key))
    if (bytes === null) throw damaged(key, 'it is gone')
    if (bytes.length !== size || crc32cHex(bytes) !== crc32c) throw damaged(key, 'its size or checksum does not fit')
    return bytes
  }

  async prune(newest: CommitEntry): Promise<void> {
    await this.requireOwnership()
    const retained = Math.max(LEAST_RETAINED_BATCHES, this.#options.retainBatches)
    await this.#patiently(() => pruneGeneration(this.#options.store, this.#generation, newest, retained))
  }

  /** A driver that was paused may wake beside its successor: it looks before it plans and before it publishes. */
  async requireOwnership(): Promise<void> {
    const next = this.epoch + 1
    const successor = await this.#patiently(() => this.#options.store.head(this.#layout.epoch(next)))
    if (successor !== null) throw fenced(this.#options.pipeline, this.epoch, next)
  }

  #patiently<T>(call: () => Promise<T>): Promise<T> {
    return patiently(this.#options.clock, call)
  }
}

/** What a checkpoint says without owning it: for `status`. `null` where the pipeline has none. */
export const inspectCheckpoint = async (
  store: ObjectStore,
  pipeline: string,
): Promise<(RecoveryPoint & { readonly header: CheckpointHeader; readonly recent: readonly CommitEntry[] }) | null> => {
  const layout = new CheckpointLayout(pipeline)
  const newest = await newestGeneration(store, layout)
  if (newest === 0) return null
  const generation = layout.generation(newest)
  const point = await recoveryPoint(store, generation)
  const recent: CommitEntry[] = []
  for (let batch = point.commit?.batchId ?? -1; batch >= 0 && recent.length < RECENT; batch -= 1) {
    const commit = await readCommit(store, generation, batch)
    if (commit === null) break
    recent.unshift(commit)
  }
  return { ...point, header: await headerOf(store, generation), recent }
}

/** Batches that `inspectCheckpoint` tells of. */
const RECENT = 10

const readCommit = async (store: ObjectStore, generation: GenerationLayout, batch: number) => {
  const key = generation.commit(batch)
  const bytes = await store.get(key)
  return bytes === null ? null : readCommitEntry(key, decodeEntry(key, bytes), batch)
}

const recoveryPoint = async (store: ObjectStore, generation: GenerationLayout): Promise<RecoveryPoint> => {
  // before the commits are looked at: a driver that runs meanwhile may add to both logs
  const planned = await newestPlan(store, generation)
  const newest = await newestCommit(store, generation)
  const commit = newest === null ? null : await readCommit(store, generation, newest)
  if (newest !== null && commit === null) throw damaged(generation.commit(newest), 'it is gone')
  const next = (newest ?? -1) + 1
  // a batch is planned once the one before it is committed: running batch `next` again would write its rows twice
  if (planned !== null && planned > next) throw damaged(generation.commit(planned - 1), 'it is gone')
  const bytes = await store.get(generation.plan(next))
  const openPlan =
    bytes === null ? null : readPlanEntry(generation.plan(next), decodeEntry(generation.plan(next), bytes), next)
  return { commit, openPlan }
}
