import { seededRandom } from '../../src/base/random.ts'
import type { Checkpoint } from '../../src/checkpoint/checkpoint.ts'
import { type CheckpointOptions, openCheckpoint } from '../../src/checkpoint/checkpoint-store.ts'
import type { ObjectStore } from '../../src/storage/object-store.ts'
import { VirtualClock } from './virtual-clock.ts'

export { commitOf, planOf, runBatches } from '../../src/sim/conformance/checkpoint-entries.ts'

/** Options of a checkpoint that nothing is special about. */
export const checkpointOptions = (
  store: ObjectStore,
  seed: number,
  options: Partial<CheckpointOptions> = {},
): CheckpointOptions => ({
  store,
  pipeline: 'plays',
  sourceIdentity: 'topic 1',
  shape: { branches: [{ window: { sizeMs: 10_000 } }] },
  clock: new VirtualClock(),
  random: seededRandom(seed),
  retainBatches: 100,
  mode: 'continue',
  ...options,
})

export const openTestCheckpoint = (
  store: ObjectStore,
  seed: number,
  options: Partial<CheckpointOptions> = {},
): Promise<Checkpoint> => openCheckpoint(checkpointOptions(store, seed, options))
