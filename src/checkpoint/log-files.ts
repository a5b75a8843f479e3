import type { ObjectStore } from '../storage/object-store.ts'
import type { CheckpointLayout, GenerationLayout } from './checkpoint-layout.ts'
import type { CommitEntry } from './entries.ts'
import { damaged, decodeEntry, encodeEntry } from './entry-codec.ts'

/** Number of the newest generation, 0 where the pipeline has no checkpoint. Generations are few: they are tried in turn. */
export const newestGeneration = async (store: ObjectStore, layout: CheckpointLayout): Promise<number> => {
  let newest = 0
  while ((await store.head(layout.generation(newest + 1).header)) !== null) newest += 1
  return newest
}

/**
 * Batch of the newest commit, or `null`. A listing only says where to begin: the next entries are looked for by name, from
 * the oldest that was kept at least, so that a listing that lags behind or shows nothing does not hide a commit. Commits
 * are without gaps from the oldest on: steps that double and halve again find the newest in a few looks.
 */
export const newestCommit = async (store: ObjectStore, generation: GenerationLayout): Promise<number | null> => {
  const { oldest } = await oldestKept(store, generation)
  const listed = await newestIn(store, generation, generation.commits)
  const isThere = async (batch: number): Promise<boolean> => (await store.head(generation.commit(batch))) !== null
  let newest = Math.max(listed, oldest ?? -1)
  let step = 1
  for (; await isThere(newest + step); step *= 2) newest += step
  for (step = Math.floor(step / 2); step >= 1; step = Math.floor(step / 2)) {
    if (await isThere(newest + step)) newest += step
  }
  return newest < 0 ? null : newest
}

/** The oldest batch whose entries are kept, `null` while none was pruned, and the version of the object that says so. */
const oldestKept = async (store: ObjectStore, { oldest: key }: GenerationLayout) => {
  const found = await store.getVersioned(key)
  if (found === null) return { oldest: null, version: null }
  const { oldest } = decodeEntry(key, found.bytes)
  if (typeof oldest !== 'number' || !Number.isSafeInteger(oldest)) throw damaged(key, 'it names no batch')
  return { oldest, version: found.version }
}

/** Says before entries are removed which will be the oldest. `false`: another driver is at it and has come further. */
const moveOldest = async (store: ObjectStore, generation: GenerationLayout, oldest: number): Promise<boolean> => {
  const before = await oldestKept(store, generation)
  if (before.oldest !== null && before.oldest >= oldest) return before.oldest === oldest
  return (await store.replace(generation.oldest, encodeEntry({ oldest }), before.version)) !== 'conflict'
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
  if (oldest > 0 && !(await moveOldest(store, generation, oldest))) return
  for (const prefix of [generation.plans, generation.commits, generation.publications]) {
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
