import { checkKey, checkPrefix } from '../storage/keys.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import type { Bucket } from './bucket.ts'
import type { SimProcess } from './process.ts'

/** A process' way to the bucket: every method is one request with a fate of its own. `staleMs` is drawn for each listing. */
export const storeClient = (bucket: Bucket, process: SimProcess, staleMs: () => number): ObjectStore => {
  const { name } = process
  const ask = <T>(what: string, key: string, effect: () => T): Promise<T> => process.call('store', what, key, effect)
  return {
    location: 'simulated',
    conditionalWrites: 'inherent',
    createOnly: async (key, bytes) => {
      const copy = bytes.slice()
      return ask('createOnly', checkKey(key), () => bucket.createOnly(key, copy, name))
    },
    get: async key => ask('get', checkKey(key), () => bucket.get(key)),
    getVersioned: async key => ask('getVersioned', checkKey(key), () => bucket.getVersioned(key)),
    replace: async (key, bytes, expected) => {
      const copy = bytes.slice()
      return ask('replace', checkKey(key), () => bucket.replace(key, copy, expected, name))
    },
    head: async key => ask('head', checkKey(key), () => bucket.head(key)),
    remove: async key => ask('remove', checkKey(key), () => bucket.remove(key, name)),
    stage: async (key, bytes) => {
      const copy = bytes.slice()
      return ask('stage', checkKey(key), () => bucket.stage(key, copy))
    },
    publish: async staged => ask('publish', checkKey(staged.key), () => bucket.publish(staged, name)),
    discard: async staged => ask('discard', checkKey(staged.key), () => bucket.discard(staged)),
    async *list(prefix) {
      const begin = checkPrefix(prefix)
      yield* await ask('list', begin, () => bucket.list(begin, staleMs()))
    },
    async *listStaged(prefix) {
      const begin = checkPrefix(prefix)
      yield* await ask('listStaged', begin, () => bucket.listStaged(begin, staleMs()))
    },
  }
}
