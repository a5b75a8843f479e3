import type { ObjectStore } from '../storage/object-store.ts'
import type { CheckpointLayout, GenerationLayout } from './checkpoint-layout.ts'
import type { CommitEntry } from './entries.ts'

/** Number of the newest generation, 0 where the pipeline has no checkpoint. Generations are few: they are tried in turn. */
export const newestGeneration = async (store: ObjectStore, layout: CheckpointLayout): Promise<number> => {
  let newest = 0
  while ((await store.head(layout.generation(newest + 1).header)) !== null) newest += 1
  return newest
}

/**
 * Batch of the newest commit, or `null`. A listing only says where to begin: the next entries are looked for by name,
 * so that a listing that lags behind does not hide a commit.
 */
export const newestCommit = async (store: ObjectStore, generation: GenerationLayout): Promise<number | null> => {
  let newest = await newestIn(store, generation, generation.commits)
  while ((await store.head(generation.commit(newest + 1))) !== null) newest += 1
  return newest < 0 ? null : newest
}

/** Batch of the newest plan that a listing shows, or `null`. */
export const newestPlan = async (store: ObjectStore, generation: GenerationLayout): Promise<number | null> => {
  const newest = await newestIn(store, generation, generation.plans)
  return newest < 0 ? null : newest
}

const newestIn = async (store: ObjectStore, generation: GenerationLayout, prefix: string): Promise<number> => {
  let newest = -1
  for await (const { key } of store.list(prefix)) newest = Math.max(newest, generation.batchOf(key) ?? -1)
  return newest
}

/**
 * Removes entries of batches that are more than `retained` behind the newest commit, and state objects of batches up to
 * it that it does not list. State of older commits is then gone; their offsets and receipts stay for `status` and repair.
 */
export const pruneGeneration = async (
  store: ObjectStore,
  generation: GenerationLayout,
  newest: CommitEntry,
  retained: number,
): Promise<void> => {
  const oldest = newest.batchId - retained + 1
  for (const prefix of [generation.plans, generation.commits]) {
    for await (const { key } of store.list(prefix)) {
      const batch = generation.batchOf(key)
      if (batch !== null && batch < oldest) await store.remove(key)
    }
  }
  const listed = new Set(
    newest.state.flatMap(manifest =>
      [...(manifest?.changes ?? []), manifest?.snapshot ?? null].map(object => object?.key),
    ),
  )
  for await (const { key } of store.list(generation.states)) {
    const batch = generation.batchOf(key)
    if (batch !== null && batch <= newest.batchId && !listed.has(key)) await store.remove(key)
  }
}
