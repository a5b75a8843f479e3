import type { StateManifest } from './entries.ts'

/** So many changes are read one by one at recovery at most. */
const MAX_CHANGES = 50

/**
 * Whether a batch's change is appended to the state log or a snapshot of the whole state begins the log anew. A snapshot
 * is due once the changes since the last one have grown as large as it: then every byte of a snapshot was paid for by a
 * byte of changes, and the cost of all commits together follows the keys that changed (at most twice their bytes).
 *
 * @param changeBytes size of this batch's change
 * @param stateBytes about how large a snapshot would be now
 */
export const nextStateWrite = (
  manifest: StateManifest | null,
  changeBytes: number,
  stateBytes: number,
): 'snapshot' | 'changes' => {
  const changes = manifest?.changes ?? []
  const written = changes.reduce((bytes, change) => bytes + change.size, changeBytes)
  if (changes.length >= MAX_CHANGES) return 'snapshot'
  return written >= Math.max(stateBytes, MIN_SNAPSHOT_BYTES) ? 'snapshot' : 'changes'
}

/** Below so many bytes of changes a snapshot is not worth an object of its own. */
const MIN_SNAPSHOT_BYTES = 64 * 1024
