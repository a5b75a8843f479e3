/** How a batch's change goes into a log of changes to a state (windows, a view). */
export type LogWrite =
  /** As a snapshot of the whole state, which begins the log anew. */
  | { readonly kind: 'snapshot' }
  /** As an object that also takes the place of the last `merged` changes. */
  | { readonly kind: 'changes'; readonly merged: number }

/** An object of the log. */
export interface SizedObject {
  readonly size: number
}

/** Below so many bytes of changes a snapshot is not worth an object of its own. */
const MIN_SNAPSHOT_BYTES = 64 * 1024
/** So many changes of about one size become one. */
const FAN_IN = 8
/** Changes below this size are of one size. */
const LEAST_TIER_BYTES = 8 * 1024

/**
 * A snapshot is due once the changes since the last one have grown as large as the state: then every byte of a snapshot was
 * paid for by a byte of changes. Until then the number of objects is kept small by merging changes of about one size, as
 * log-structured trees do (O'Neil et al. 1996), so that each byte is written again once per power of eight. The
 * cost of all commits together follows the keys that changed, and a commit lists some dozens of objects at most.
 *
 * @param changes objects since the last snapshot, in their order
 * @param changeBytes size of this batch's change
 * @param stateBytes about how large a snapshot would be now
 */
export const nextLogWrite = (changes: readonly SizedObject[], changeBytes: number, stateBytes: number): LogWrite => {
  const sizes = changes.map(change => change.size)
  const written = sizes.reduce((bytes, size) => bytes + size, changeBytes)
  if (written >= Math.max(stateBytes, MIN_SNAPSHOT_BYTES)) return { kind: 'snapshot' }
  return { kind: 'changes', merged: mergedTail(sizes, changeBytes) }
}

/** How many of the last changes are merged with a new one: as often as there are enough that are no larger than it has become. */
const mergedTail = (sizes: readonly number[], changeBytes: number): number => {
  let merged = 0
  let bytes = changeBytes
  for (;;) {
    const rest = sizes.slice(0, sizes.length - merged)
    const tier = tierOf(bytes)
    const run = rest.length - 1 - rest.findLastIndex(size => tierOf(size) > tier)
    if (run < FAN_IN - 1) return merged
    bytes += rest.slice(rest.length - run).reduce((sum, size) => sum + size, 0)
    merged += run
  }
}

const tierOf = (bytes: number): number =>
  bytes < LEAST_TIER_BYTES ? 0 : 1 + Math.floor(Math.log(bytes / LEAST_TIER_BYTES) / Math.log(FAN_IN))
