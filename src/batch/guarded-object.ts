import type { Clock } from '../base/clock.ts'
import { patiently } from '../checkpoint/patience.ts'
import type { ObjectStore, VersionedObject } from '../storage/object-store.ts'

/** What objects are replaced with. */
export interface GuardedStore {
  readonly store: ObjectStore
  readonly clock: Clock
}

/**
 * Replaces an object where its version still is the expected one. After a conflict, which one's own write with a lost
 * answer may have caused, the object is read back: bytes that are ours count as success.
 * @throws STORE_FAILED when the store fails again and again
 */
export const replaceGuarded = (
  { store, clock }: GuardedStore,
  key: string,
  bytes: Uint8Array,
  expected: string | null,
): Promise<{ readonly version: string } | 'conflict'> =>
  patiently(clock, async () => {
    const outcome = await store.replace(key, bytes, expected)
    if (outcome !== 'conflict') return outcome
    const there = await store.getVersioned(key)
    return there !== null && sameBytes(there.bytes, bytes) ? { version: there.version } : 'conflict'
  })

/** Reads an object with its version. @throws STORE_FAILED when the store fails again and again */
export const getGuarded = ({ store, clock }: GuardedStore, key: string): Promise<VersionedObject | null> =>
  patiently(clock, () => store.getVersioned(key))

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, at) => byte === b[at])
