import { utf8Bytes as bytesOf } from '../../base/text.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { isSealed, keysOf, type OpenedStore, sealed, textOf, versionIn } from './opened-store.ts'
import { type Case, collect, equal, holds } from './promise.ts'

const stepOf = (bytes: Uint8Array | null): number => Number.parseInt(textOf(bytes?.slice(8) ?? null) ?? '', 10)

/** Replacements that are guarded by a version. */
export const REPLACEMENT_PROMISES: readonly Case<OpenedStore>[] = [
  [
    'puts an object where none is, and then only over the state that its version names',
    async ({ store, reopen }) => {
      equal(await store.getVersioned('p/now'), null)
      const first = versionIn(await store.replace('p/now', bytesOf('1'), null))
      equal(await (await reopen()).getVersioned('p/now'), { bytes: bytesOf('1'), version: first })
      equal(await store.replace('p/now', bytesOf('other'), null), 'conflict')
      const second = versionIn(await (await reopen()).replace('p/now', bytesOf('2'), first))
      holds(second !== first, 'a replacement makes a new version')
      equal(await store.replace('p/now', bytesOf('late'), first), 'conflict')
      equal(await store.getVersioned('p/now'), { bytes: bytesOf('2'), version: second })
      equal(textOf(await store.get('p/now')), '2')
      equal(await store.head('p/now'), { key: 'p/now', size: 1 })
      equal(await collect(store.list('')), [{ key: 'p/now', size: 1 }])
      equal(await collect(store.listStaged('')), [])
    },
  ],

  [
    'goes over objects that were created or published, and stands in the way of a create',
    async ({ store }) => {
      await store.createOnly('a', bytesOf('created'))
      await store.publish(await store.stage('b', bytesOf('published')))
      for (const key of ['a', 'b']) {
        const there = await store.getVersioned(key)
        versionIn(await store.replace(key, bytesOf('replaced'), there?.version ?? ''))
        equal(textOf(await store.get(key)), 'replaced')
        equal(await store.createOnly(key, bytesOf('x')), 'exists')
      }
    },
  ],

  [
    'may empty an object, and one that is absent is replaced by nobody',
    async ({ store }) => {
      const first = versionIn(await store.replace('a', bytesOf('x'), null))
      const second = versionIn(await store.replace('a', new Uint8Array(), first))
      equal(await store.getVersioned('a'), { bytes: new Uint8Array(), version: second })
      equal(await store.replace('b', bytesOf('x'), second), 'conflict')
      await store.remove('a')
      equal(await store.replace('a', bytesOf('x'), second), 'conflict')
      equal(await keysOf(store, ''), [])
      versionIn(await store.replace('a', bytesOf('y'), null))
    },
  ],

  [
    'has one winner among many at once, over and over',
    async ({ store, reopen }) => {
      const stores = [store, await reopen(), await reopen()]
      let version: string | null = null
      for (let round = 0; round < 15; round += 1) {
        const outcomes: readonly ({ readonly version: string } | 'conflict')[] = await Promise.all(
          Array.from({ length: 12 }, (_, racer) =>
            (stores[racer % 3] as ObjectStore).replace('p', sealed(`${round} ${racer} `, 20_000 + racer), version),
          ),
        )
        const winners = outcomes.flatMap((outcome, racer) => (outcome === 'conflict' ? [] : [racer]))
        equal(winners.length, 1)
        const [winner = 0] = winners
        version = versionIn(outcomes[winner] as { readonly version: string })
        equal(await store.getVersioned('p'), {
          bytes: sealed(`${round} ${winner} `, 20_000 + winner),
          version,
        })
      }
    },
  ],

  [
    'counts every step once, and readers see whole objects that never go back',
    async ({ store, reopen }) => {
      await store.replace('counter', sealed('0|', 20_000), null)
      const reader = await reopen()
      const stores = [store, await reopen(), await reopen()]
      const count = async (own: ObjectStore): Promise<void> => {
        for (let counted = false; !counted; ) {
          const there = await own.getVersioned('counter')
          const next = `${stepOf(there?.bytes ?? null) + 1}|`
          counted = (await own.replace('counter', sealed(next, 20_000), there?.version ?? null)) !== 'conflict'
        }
      }
      let last = 0
      const look = async (): Promise<void> => {
        const before = last
        const bytes = await reader.get('counter')
        holds(isSealed(bytes), 'readers see whole objects')
        holds(stepOf(bytes) >= before, 'readers never see an earlier object again')
        last = Math.max(last, stepOf(bytes))
      }
      for (let round = 0; round < 10; round += 1) await Promise.all([look(), ...stores.map(count), look(), look()])
      equal(stepOf(await store.get('counter')), 30)
    },
  ],
]
