import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../src/base/random.ts'
import { openCheckpoint } from '../../../src/checkpoint/checkpoint-store.ts'
import { memoryObjectStore } from '../../../src/storage/memory/memory-object-store.ts'
import type { ObjectStore } from '../../../src/storage/object-store.ts'
import { requireAtomicWrites } from '../../../src/storage/require-atomic-writes.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** A store whose replacements do what they like. */
const storeThat = (replace: (store: ObjectStore) => ObjectStore['replace']): ObjectStore => {
  const store = memoryObjectStore()
  const own = replace(store)
  return new Proxy(store, {
    get: (target, name) => {
      if (name === 'replace') return own
      if (name === 'createOnly')
        return async (key: string, bytes: Uint8Array) =>
          (await own(key, bytes, null)) === 'conflict' ? 'exists' : 'created'
      if (name === 'conditionalWrites') return 'unproven'
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}

/** Puts whatever the condition says, as servers do that don't know the header. */
const ignoring = storeThat(store => async (key, bytes) => {
  const there = await store.getVersioned(key)
  return store.replace(key, bytes, there?.version ?? null)
})

/** Looks first and writes then, with time between the two. */
const lookingFirst = storeThat(store => async (key, bytes, expected) => {
  const before = (await store.getVersioned(key))?.version ?? null
  await turn()
  if (before !== expected) return 'conflict'
  const now = await store.getVersioned(key)
  return store.replace(key, bytes, now?.version ?? null)
})

/** Knows If-None-Match and not If-Match. */
const creatingOnly = storeThat(store => async (key, bytes, expected) => {
  const there = await store.getVersioned(key)
  return store.replace(key, bytes, expected === null ? null : (there?.version ?? null))
})

const openOn = (store: ObjectStore) =>
  openCheckpoint({
    store,
    pipeline: 'plays',
    sourceIdentity: 'topic',
    shape: {},
    clock: new VirtualClock(),
    random: seededRandom(1),
    retainBatches: 100,
    mode: 'continue',
  })

describe('a trial of conditional writes', () => {
  it('passes where they are atomic, and leaves nothing behind', async () => {
    const store = memoryObjectStore()
    await requireAtomicWrites(store, 'trials', seededRandom(1))
    for await (const { key } of store.list('')) expect(key).toBe('nothing')
  })

  it.each([
    ['ignores them', ignoring],
    ['looks first and writes then', lookingFirst],
    ['knows creates only', creatingOnly],
  ])('refuses a store that %s', async (_, store) => {
    await expect(requireAtomicWrites(store, 'trials', seededRandom(1))).rejects.toMatchObject({
      code: 'STORE_NOT_ATOMIC',
      exitCode: 2,
    })
  })

  it('is held before a checkpoint is made, and not where the technology itself is atomic', async () => {
    await expect(openOn(ignoring)).rejects.toMatchObject({ code: 'STORE_NOT_ATOMIC' })
    const kept: string[] = []
    for await (const { key } of ignoring.list('_checkpoints/')) kept.push(key)
    expect(kept).toEqual([])
    expect((await openOn(memoryObjectStore())).epoch).toBe(1)
  })
})
