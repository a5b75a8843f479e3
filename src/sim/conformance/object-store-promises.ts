import { KEY_PROMISES } from './key-promises.ts'
import { LISTING_PROMISES } from './listing-promises.ts'
import { OBJECT_PROMISES } from './object-promises.ts'
import type { OpenedStore } from './opened-store.ts'
import { type ConformancePromise, promisesOf } from './promise.ts'
import { REPLACEMENT_PROMISES } from './replacement-promises.ts'
import { oustedPromise, STAGING_PROMISES } from './staging-promises.ts'

/** In what stores may differ. */
export interface ObjectStoreTraits {
  /** The store can't tell that another put something under a staged key: publishing replaces it (S3). Default false. */
  readonly publishingReplaces?: boolean
}

/**
 * What every object store keeps, whatever technology it stands on: tables and checkpoints rest on it.
 *
 * @param open opens a fresh, empty store; it is closed after each promise
 */
export const objectStorePromises = (
  open: () => Promise<OpenedStore>,
  { publishingReplaces = false }: ObjectStoreTraits = {},
): readonly ConformancePromise[] => {
  const staging = [...STAGING_PROMISES, oustedPromise(publishingReplaces)]
  const groups = [
    ['objects', OBJECT_PROMISES],
    ['a guarded replacement', REPLACEMENT_PROMISES],
    ['a listing', LISTING_PROMISES],
    ['a staged object', staging],
    ['a hostile key', KEY_PROMISES],
  ] as const
  return groups.flatMap(([subject, cases]) => promisesOf(subject, cases, open, opened => opened.close()))
}
