import type { Clock } from '../base/clock.ts'
import { MillraceError } from '../base/errors.ts'
import type { JsonValue } from '../base/json.ts'
import type { DriverEpoch } from '../base/units.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { decodeEntry, encodeEntry } from './entry-codec.ts'
import { fenced } from './fenced.ts'
import { MAX_ATTEMPTS, retriable, waitAfter } from './patience.ts'

interface Owned {
  readonly epoch: DriverEpoch
  readonly nonce: string
}

/** Who asks, and where. */
export interface EntryWriter {
  readonly store: ObjectStore
  readonly clock: Clock
  readonly pipeline: string
  readonly epoch: DriverEpoch
}

/**
 * Creates an entry of one of the logs, or finds out whose is there. What decides is the conditional create alone: after
 * an error whose outcome is unknown the entry is read back before anything is concluded.
 *
 * @returns the entry that counts: our own, or one of a lower epoch, which finished this step before us
 * @throws FENCED where it is of a higher epoch, STORE_FAILED when the store fails again and again
 */
export const createEntry = async <E extends Owned>(
  { store, clock, pipeline, epoch }: EntryWriter,
  key: string,
  entry: E,
  read: (key: string, fields: Readonly<Record<string, JsonValue>>) => E,
): Promise<{ readonly entry: E; readonly adopted: boolean }> => {
  const bytes = encodeEntry(entry)
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await attemptCreate(store, key, bytes)
    if (outcome === 'created') return { entry, adopted: false }
    const there = await attemptGet(store, key)
    if (there instanceof Uint8Array) {
      const found = read(key, decodeEntry(key, there))
      if (found.nonce === entry.nonce) return { entry, adopted: false }
      if (found.epoch >= epoch) throw fenced(pipeline, epoch, found.epoch)
      return { entry: found, adopted: true }
    }
    const failure = there ?? (outcome === 'exists' ? null : outcome)
    if (attempt >= MAX_ATTEMPTS) throw failure ?? vanished(key)
    await waitAfter(clock, attempt)
  }
}

const attemptCreate = async (store: ObjectStore, key: string, bytes: Uint8Array) => {
  try {
    return await store.createOnly(key, bytes)
  } catch (error) {
    return retriable(error)
  }
}

const attemptGet = async (store: ObjectStore, key: string) => {
  try {
    return await store.get(key)
  } catch (error) {
    return retriable(error)
  }
}

const vanished = (key: string): MillraceError =>
  new MillraceError('STORE_FAILED', `${key} exists when it is created and does not when it is read`, {
    remedy: 'Check that the store is consistent and that nothing else removes files from the checkpoint.',
    details: { key },
  })
