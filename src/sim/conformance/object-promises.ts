import { seededRandom } from '../../base/random.ts'
import { utf8Bytes as bytesOf } from '../../base/text.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { keysOf, type OpenedStore, sealed, textOf } from './opened-store.ts'
import { type Case, equal } from './promise.ts'

/** Objects under their keys. */
export const OBJECT_PROMISES: readonly Case<OpenedStore>[] = [
  [
    'are given back as they were put, and are absent before',
    async ({ store }) => {
      equal(await store.get('a/b.json'), null)
      equal(await store.head('a/b.json'), null)
      equal(await store.createOnly('a/b.json', bytesOf('first')), 'created')
      equal(textOf(await store.get('a/b.json')), 'first')
      equal(await store.head('a/b.json'), { key: 'a/b.json', size: 5 })
    },
  ],

  [
    'hold any bytes, none among them, and belong to the store once they were put',
    async ({ store, reopen }) => {
      const random = seededRandom(1)
      for (let at = 0; at < 30; at += 1) {
        const bytes = Uint8Array.from(
          { length: Math.floor(random.next() * 5000 * (at % 7)) },
          () => random.next() * 256,
        )
        const given = bytes.slice()
        await store.createOnly(`any/${at}`, given)
        given.fill(0)
        equal(await (await reopen()).get(`any/${at}`), bytes)
      }
      const [first = ''] = await keysOf(store, 'any/')
      const before = (await store.get(first))?.slice() ?? null
      const taken = await store.get(first)
      taken?.fill(7)
      equal(await store.get(first), before)
    },
  ],
  [
    'are never replaced by a second create',
    async ({ store, reopen }) => {
      await store.createOnly('entry', bytesOf('first'))
      equal(await store.createOnly('entry', bytesOf('second')), 'exists')
      equal(await (await reopen()).createOnly('entry', bytesOf('first')), 'exists')
      equal(textOf(await store.get('entry')), 'first')
    },
  ],

  [
    'have one creator among many at once, and hold what that one put',
    async ({ store, reopen }) => {
      const stores = [store, await reopen(), await reopen()]
      for (let round = 0; round < 20; round += 1) {
        const key = `epochs/${round}`
        const outcomes = await Promise.all(
          Array.from({ length: 12 }, (_, racer) =>
            (stores[racer % 3] as ObjectStore).createOnly(key, sealed(`racer ${racer} `, 20_000 + racer)),
          ),
        )
        equal(outcomes.filter(outcome => outcome === 'created').length, 1)
        const winner = outcomes.indexOf('created')
        equal(await store.get(key), sealed(`racer ${winner} `, 20_000 + winner))
      }
    },
  ],

  [
    'are gone once removed; removing what is not there is no error; the key is free again',
    async ({ store }) => {
      await store.createOnly('a/b', bytesOf('x'))
      await store.remove('a/b')
      await store.remove('a/b')
      await store.remove('never/was')
      equal(await store.get('a/b'), null)
      equal(await keysOf(store, ''), [])
      equal(await store.createOnly('a/b', bytesOf('y')), 'created')
    },
  ],
]
