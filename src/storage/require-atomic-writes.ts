import { MillraceError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import type { ObjectStore } from './object-store.ts'

const ROUNDS = 3
const RACERS = 8

/**
 * Tries whether conditional writes of a store are what they say: of writers that race for a key one creates it, of writers that
 * race to replace it one does, and what is read is what that one wrote. Two drivers on a store that fails this could both commit
 * the same batch. A trial proves nothing for good, but the stores that ignore conditions do so every time.
 *
 * @param folder where the keys of the trial lie; they are removed again
 * @throws STORE_NOT_ATOMIC
 */
export const requireAtomicWrites = async (store: ObjectStore, folder: string, random: Random): Promise<void> => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const key = `${folder}/${random.nonce()}`
    try {
      const created = await race(store, key, null, 'create')
      const replaced = await race(store, key, created, 'replace')
      const late = await store.replace(key, bytesOf('late'), created)
      if (late !== 'conflict' || replaced === created) throw notAtomic(store, 'a version that is gone was replaced')
    } finally {
      await store.remove(key)
    }
  }
}

/** Lets writers race; answers the version that the winner made. */
const race = async (store: ObjectStore, key: string, expected: string | null, what: string): Promise<string> => {
  const bodies = Array.from({ length: RACERS }, (_, racer) => bytesOf(`${what} ${racer} of ${key}`))
  const outcomes = await Promise.all(bodies.map(body => store.replace(key, body, expected)))
  const winners = outcomes.flatMap((outcome, racer) => (outcome === 'conflict' ? [] : [{ racer, outcome }]))
  const [winner] = winners
  if (winner === undefined || winners.length > 1) {
    throw notAtomic(store, `${winners.length} of ${RACERS} writers could ${what} one object at once`)
  }
  const read = await store.getVersioned(key)
  if (read?.version !== winner.outcome.version || !sameBytes(read.bytes, bodies[winner.racer] as Uint8Array)) {
    throw notAtomic(store, `what was read after a race to ${what} is not what the winner wrote`)
  }
  return read.version
}

const notAtomic = (store: ObjectStore, seen: string): MillraceError =>
  new MillraceError('STORE_NOT_ATOMIC', `conditional writes do not hold in ${store.location}: ${seen}`, {
    remedy:
      'Exactly once needs a store with atomic If-None-Match and If-Match (AWS S3, versitygw, MinIO, Ceph, R2 …); ' +
      'choose another root.',
    details: { location: store.location },
  })

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, at) => byte === b[at])
