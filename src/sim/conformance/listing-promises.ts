import { utf8Bytes as bytesOf } from '../../base/text.ts'
import type { ObjectInfo } from '../../storage/object-store.ts'
import { isSealed, keysOf, type OpenedStore, sealed } from './opened-store.ts'
import { type Case, collect, equal, holds } from './promise.ts'

/** What listings name. */
export const LISTING_PROMISES: readonly Case<OpenedStore>[] = [
  [
    'names what begins with the prefix, in order, with sizes; a prefix may end within a name',
    async ({ store }) => {
      const keys = ['t/date=2026-01-02/a', 't/date=2026-01-01/b', 't/date=2026-01-01/a', 'tt/a', 't-1/a', 'top']
      for (const key of keys) await store.createOnly(key, bytesOf(key))
      equal(await keysOf(store, 't/'), ['t/date=2026-01-01/a', 't/date=2026-01-01/b', 't/date=2026-01-02/a'])
      equal(await keysOf(store, 't/date=2026-01-01'), ['t/date=2026-01-01/a', 't/date=2026-01-01/b'])
      equal(await keysOf(store, 't'), keys.toSorted())
      equal(await keysOf(store, ''), keys.toSorted())
      equal(await keysOf(store, 'to'), ['top'])
      equal(await keysOf(store, 'nothing/here/'), [])
      equal(await collect(store.list('tt')), [{ key: 'tt/a', size: 4 }])
    },
  ],

  [
    'names all of many objects',
    async ({ store, reopen }) => {
      const keys = Array.from({ length: 1500 }, (_, at) => `many/${at % 7}/${String(at).padStart(6, '0')}`)
      for (let at = 0; at < keys.length; at += 50) {
        await Promise.all(keys.slice(at, at + 50).map(key => store.createOnly(key, bytesOf('x'))))
      }
      equal(await keysOf(await reopen(), 'many/'), keys.toSorted())
      equal((await keysOf(store, 'many/3/')).length, keys.filter(key => key.startsWith('many/3/')).length)
    },
  ],

  [
    'at any moment names only whole objects that can be read, and misses none that was there before',
    async ({ store, reopen }) => {
      const reader = await reopen()
      const done = new Set<string>()
      const write = async (writer: number, at: number): Promise<void> => {
        const key = `moving/${writer}/${String(at).padStart(3, '0')}`
        const bytes = sealed(`${key} `, 50_000 + at)
        if (at % 2 === 0) await store.createOnly(key, bytes)
        else await store.publish(await store.stage(key, bytes))
        done.add(key)
      }
      const look = async (): Promise<void> => {
        const before = [...done]
        const seen = await collect<ObjectInfo>(reader.list('moving/'))
        const keys = new Set(seen.map(({ key }) => key))
        equal(
          before.filter(key => !keys.has(key)),
          [],
        )
        for (const { key, size } of seen.slice(-5)) {
          const bytes = await reader.get(key)
          equal(bytes?.length, size)
          holds(isSealed(bytes), `${key} is whole`)
        }
      }
      for (let at = 0; at < 25; at += 1) {
        await Promise.all([look(), ...[0, 1, 2].map(writer => write(writer, at)), look(), look()])
      }
      equal((await keysOf(reader, 'moving/')).length, 75)
    },
  ],
]
