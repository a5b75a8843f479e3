import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { crc32cHex } from '../../src/base/crc32c.ts'
import type { ObjectInfo, ObjectStore, StagedObject, StagedUpload } from '../../src/storage/object-store.ts'

/** A fresh store, and further ways in to the same objects, as another process would have them. */
export interface OpenedStore {
  readonly store: ObjectStore
  reopen(): Promise<ObjectStore>
  close(): Promise<void>
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array | null): string | null => (bytes === null ? null : new TextDecoder().decode(bytes))

const collect = async <T>(items: AsyncIterable<T>): Promise<readonly T[]> => {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
const keysOf = async (store: ObjectStore, prefix: string): Promise<readonly string[]> =>
  (await collect<ObjectInfo>(store.list(prefix))).map(({ key }) => key)

/** Bytes that say what they are: their own checksum goes before them, so that half of them is noticed. */
const sealed = (text: string, size: number): Uint8Array => {
  const body = bytesOf(text.repeat(Math.ceil(size / text.length)).slice(0, size))
  const whole = new Uint8Array(8 + body.length)
  whole.set(bytesOf(crc32cHex(body)))
  whole.set(body, 8)
  return whole
}
const isSealed = (bytes: Uint8Array): boolean => textOf(bytes.slice(0, 8)) === crc32cHex(bytes.slice(8))

const nameOf = ({ key, upload }: StagedUpload): StagedUpload => ({ key, upload })
const uploadsOf = async (store: ObjectStore, prefix: string): Promise<readonly StagedUpload[]> =>
  (await collect(store.listStaged(prefix))).map(nameOf)

const stepOf = (bytes: Uint8Array | null): number => Number.parseInt(textOf(bytes?.slice(8) ?? null) ?? '', 10)

const versionIn = (outcome: { readonly version: string } | 'conflict'): string => {
  if (outcome === 'conflict') throw new Error('the replacement met a conflict')
  return outcome.version
}

const HOSTILE = [
  '',
  '/',
  '/etc/passwd',
  'a/',
  'a//b',
  '.',
  '..',
  '../a',
  'a/../../b',
  'a/./b',
  'a/..',
  'a\\b',
  'a\u0000b',
  'a\nb',
  'a/\u007f',
  'half-\ud800',
  '.millrace-staging/a',
  'x'.repeat(201),
  `${'ü'.repeat(101)}`,
  Array.from({ length: 10 }, () => 'x'.repeat(100)).join('/'),
]

export interface ConformanceOptions {
  /** A store may not be able to tell that another put something under a staged key: publishing replaces it. */
  readonly publishingReplaces?: boolean
}

/** What every object store keeps, whatever technology it stands on. */
export const objectStoreConformance = (
  name: string,
  open: () => Promise<OpenedStore>,
  { publishingReplaces = false }: ConformanceOptions = {},
): void => {
  describe(`${name}: objects`, () => {
    const opened = eachTime(open)

    it('are given back as they were put, and are absent before', async () => {
      const { store } = opened()
      expect(await store.get('a/b.json')).toBeNull()
      expect(await store.head('a/b.json')).toBeNull()
      expect(await store.createOnly('a/b.json', bytesOf('first'))).toBe('created')
      expect(textOf(await store.get('a/b.json'))).toBe('first')
      expect(await store.head('a/b.json')).toEqual({ key: 'a/b.json', size: 5 })
    })

    it('hold any bytes, none among them, and belong to the store once they were put', async () => {
      const { store, reopen } = opened()
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), fc.uuid(), async (bytes, id) => {
          const given = bytes.slice()
          await store.createOnly(`any/${id}`, given)
          given.fill(0)
          expect(await (await reopen()).get(`any/${id}`)).toEqual(bytes)
        }),
        { numRuns: 30 },
      )
      const taken = await store.get((await keysOf(store, 'any/'))[0] ?? '')
      taken?.fill(7)
      expect(await keysOf(store, 'any/')).toHaveLength(30)
    })

    it('are never replaced by a second create', async () => {
      const { store, reopen } = opened()
      await store.createOnly('entry', bytesOf('first'))
      expect(await store.createOnly('entry', bytesOf('second'))).toBe('exists')
      expect(await (await reopen()).createOnly('entry', bytesOf('first'))).toBe('exists')
      expect(textOf(await store.get('entry'))).toBe('first')
    })

    it('have one creator among many at once, and hold what that one put', async () => {
      const { store, reopen } = opened()
      const stores = [store, await reopen(), await reopen()]
      for (let round = 0; round < 20; round += 1) {
        const key = `epochs/${round}`
        const outcomes = await Promise.all(
          Array.from({ length: 12 }, (_, racer) =>
            (stores[racer % 3] as ObjectStore).createOnly(key, sealed(`racer ${racer} `, 20_000 + racer)),
          ),
        )
        expect(outcomes.filter(outcome => outcome === 'created')).toHaveLength(1)
        const winner = outcomes.indexOf('created')
        expect(await store.get(key)).toEqual(sealed(`racer ${winner} `, 20_000 + winner))
      }
    })

    it('are gone once removed; removing what is not there is no error; the key is free again', async () => {
      const { store } = opened()
      await store.createOnly('a/b', bytesOf('x'))
      await store.remove('a/b')
      await store.remove('a/b')
      await store.remove('never/was')
      expect(await store.get('a/b')).toBeNull()
      expect(await keysOf(store, '')).toEqual([])
      expect(await store.createOnly('a/b', bytesOf('y'))).toBe('created')
    })
  })

  describe(`${name}: a guarded replacement`, () => {
    const opened = eachTime(open)

    it('puts an object where none is, and then only over the state that its version names', async () => {
      const { store, reopen } = opened()
      expect(await store.getVersioned('p/now')).toBeNull()
      const first = versionIn(await store.replace('p/now', bytesOf('1'), null))
      expect(await (await reopen()).getVersioned('p/now')).toEqual({ bytes: bytesOf('1'), version: first })
      expect(await store.replace('p/now', bytesOf('other'), null)).toBe('conflict')
      const second = versionIn(await (await reopen()).replace('p/now', bytesOf('2'), first))
      expect(second).not.toBe(first)
      expect(await store.replace('p/now', bytesOf('late'), first)).toBe('conflict')
      expect(await store.getVersioned('p/now')).toEqual({ bytes: bytesOf('2'), version: second })
      expect(textOf(await store.get('p/now'))).toBe('2')
      expect(await store.head('p/now')).toEqual({ key: 'p/now', size: 1 })
      expect(await collect(store.list(''))).toEqual([{ key: 'p/now', size: 1 }])
      expect(await collect(store.listStaged(''))).toEqual([])
    })

    it('goes over objects that were created or published, and stands in the way of a create', async () => {
      const { store } = opened()
      await store.createOnly('a', bytesOf('created'))
      await store.publish(await store.stage('b', bytesOf('published')))
      for (const key of ['a', 'b']) {
        const there = await store.getVersioned(key)
        versionIn(await store.replace(key, bytesOf('replaced'), there?.version ?? ''))
        expect(textOf(await store.get(key))).toBe('replaced')
        expect(await store.createOnly(key, bytesOf('x'))).toBe('exists')
      }
    })

    it('may empty an object, and one that is absent is replaced by nobody', async () => {
      const { store } = opened()
      const first = versionIn(await store.replace('a', bytesOf('x'), null))
      const second = versionIn(await store.replace('a', new Uint8Array(), first))
      expect(await store.getVersioned('a')).toEqual({ bytes: new Uint8Array(), version: second })
      expect(await store.replace('b', bytesOf('x'), second)).toBe('conflict')
      await store.remove('a')
      expect(await store.replace('a', bytesOf('x'), second)).toBe('conflict')
      expect(await keysOf(store, '')).toEqual([])
      versionIn(await store.replace('a', bytesOf('y'), null))
    })

    it('has one winner among many at once, over and over', async () => {
      const { store, reopen } = opened()
      const stores = [store, await reopen(), await reopen()]
      let version: string | null = null
      for (let round = 0; round < 15; round += 1) {
        const outcomes: readonly ({ readonly version: string } | 'conflict')[] = await Promise.all(
          Array.from({ length: 12 }, (_, racer) =>
            (stores[racer % 3] as ObjectStore).replace('p', sealed(`${round} ${racer} `, 20_000 + racer), version),
          ),
        )
        const winners = outcomes.flatMap((outcome, racer) => (outcome === 'conflict' ? [] : [racer]))
        expect(winners).toHaveLength(1)
        const [winner = 0] = winners
        version = versionIn(outcomes[winner] as { readonly version: string })
        expect(await store.getVersioned('p')).toEqual({
          bytes: sealed(`${round} ${winner} `, 20_000 + winner),
          version,
        })
      }
    })

    it('counts every step once, and readers see whole objects that never go back', async () => {
      const { store, reopen } = opened()
      await store.replace('counter', sealed('0|', 20_000), null)
      const state = { done: false }
      const count = async (own: ObjectStore): Promise<void> => {
        for (let done = 0; done < 10; ) {
          const there = await own.getVersioned('counter')
          const next = `${stepOf(there?.bytes ?? null) + 1}|`
          if ((await own.replace('counter', sealed(next, 20_000), there?.version ?? null)) !== 'conflict') done += 1
        }
      }
      const watch = async (own: ObjectStore): Promise<void> => {
        for (let last = 0; !state.done; ) {
          const bytes = await own.get('counter')
          expect(bytes !== null && isSealed(bytes)).toBe(true)
          expect(stepOf(bytes)).toBeGreaterThanOrEqual(last)
          last = stepOf(bytes)
          await new Promise(resolve => setImmediate(resolve))
        }
      }
      const watching = watch(await reopen())
      await Promise.all([store, await reopen(), await reopen()].map(count))
      state.done = true
      await watching
      expect(stepOf(await store.get('counter'))).toBe(30)
    })
  })

  describe(`${name}: a listing`, () => {
    const opened = eachTime(open)

    it('names what begins with the prefix, in order, with sizes; a prefix may end within a name', async () => {
      const { store } = opened()
      const keys = ['t/date=2026-01-02/a', 't/date=2026-01-01/b', 't/date=2026-01-01/a', 'tt/a', 't-1/a', 'top']
      for (const key of keys) await store.createOnly(key, bytesOf(key))
      expect(await keysOf(store, 't/')).toEqual(['t/date=2026-01-01/a', 't/date=2026-01-01/b', 't/date=2026-01-02/a'])
      expect(await keysOf(store, 't/date=2026-01-01')).toEqual(['t/date=2026-01-01/a', 't/date=2026-01-01/b'])
      expect(await keysOf(store, 't')).toEqual(keys.toSorted())
      expect(await keysOf(store, '')).toEqual(keys.toSorted())
      expect(await keysOf(store, 'to')).toEqual(['top'])
      expect(await keysOf(store, 'nothing/here/')).toEqual([])
      expect(await collect(store.list('tt'))).toEqual([{ key: 'tt/a', size: 4 }])
    })

    it('names all of many objects', async () => {
      const { store, reopen } = opened()
      const keys = Array.from({ length: 1500 }, (_, at) => `many/${at % 7}/${String(at).padStart(6, '0')}`)
      for (let at = 0; at < keys.length; at += 50) {
        await Promise.all(keys.slice(at, at + 50).map(key => store.createOnly(key, bytesOf('x'))))
      }
      expect(await keysOf(await reopen(), 'many/')).toEqual(keys.toSorted())
      expect(await keysOf(store, 'many/3/')).toHaveLength(keys.filter(key => key.startsWith('many/3/')).length)
    })

    it('at any moment names only whole objects that can be read, and misses none that was there before', async () => {
      const { store, reopen } = opened()
      const reader = await reopen()
      const done = new Set<string>()
      const writers = { done: false }
      const write = async (writer: number): Promise<void> => {
        for (let at = 0; at < 25; at += 1) {
          const key = `moving/${writer}/${String(at).padStart(3, '0')}`
          const bytes = sealed(`${key} `, 50_000 + at)
          if (at % 2 === 0) await store.createOnly(key, bytes)
          else await store.publish(await store.stage(key, bytes))
          done.add(key)
        }
      }
      const watch = async (): Promise<number> => {
        let looks = 0
        while (!writers.done) {
          const before = [...done]
          const seen = await collect<ObjectInfo>(reader.list('moving/'))
          const keys = new Set(seen.map(({ key }) => key))
          expect(before.filter(key => !keys.has(key))).toEqual([])
          for (const { key, size } of seen.slice(-5)) {
            const bytes = await reader.get(key)
            expect(bytes?.length).toBe(size)
            expect(bytes !== null && isSealed(bytes), key).toBe(true)
          }
          looks += 1
          await new Promise(resolve => setImmediate(resolve))
        }
        return looks
      }
      const watching = watch()
      await Promise.all([0, 1, 2].map(write))
      writers.done = true
      expect(await watching).toBeGreaterThan(0)
      expect(await keysOf(reader, 'moving/')).toHaveLength(75)
    })
  })

  describe(`${name}: a staged object`, () => {
    const opened = eachTime(open)
    const bytes = bytesOf('rows')

    it('is seen by nobody until it is published, and then by everybody', async () => {
      const { store, reopen } = opened()
      const staged = await store.stage('t/part-1', bytes)
      const other = await reopen()
      expect(await other.get('t/part-1')).toBeNull()
      expect(await other.head('t/part-1')).toBeNull()
      expect(await keysOf(other, '')).toEqual([])
      await store.publish(staged)
      expect(textOf(await other.get('t/part-1'))).toBe('rows')
      expect(await keysOf(other, '')).toEqual(['t/part-1'])
    })

    it('is described by plain data that another process can publish', async () => {
      const { store, reopen } = opened()
      const staged = JSON.parse(JSON.stringify(await store.stage('t/part-1', bytes))) as StagedObject
      expect(staged).toMatchObject({ key: 't/part-1', size: 4, crc32c: crc32cHex(bytes) })
      await (await reopen()).publish(staged)
      expect(textOf(await store.get('t/part-1'))).toBe('rows')
    })

    it('may be published again, also by many at once', async () => {
      const { store, reopen } = opened()
      const staged = await store.stage('t/part-1', bytes)
      const other = await reopen()
      await Promise.all([store, other, store, other].map(each => each.publish(staged)))
      await other.publish(staged)
      expect(textOf(await store.get('t/part-1'))).toBe('rows')
      expect(await collect(store.listStaged(''))).toEqual([])
    })

    it('is an upload of its own each time, also under the same key', async () => {
      const { store } = opened()
      const [first, second] = [await store.stage('t/part-1', bytes), await store.stage('t/part-1', bytes)]
      expect(first.upload).not.toBe(second.upload)
      await store.discard(first)
      await store.publish(second)
      expect(textOf(await store.get('t/part-1'))).toBe('rows')
    })

    it('is gone once discarded; discarding again is no error and takes nothing that is published', async () => {
      const { store } = opened()
      const dropped = await store.stage('t/part-1', bytes)
      await store.discard(dropped)
      await store.discard(dropped)
      expect(await keysOf(store, '')).toEqual([])
      await expect(store.publish(dropped)).rejects.toMatchObject({ code: 'STAGED_OBJECT_LOST' })
      const kept = await store.stage('t/part-2', bytes)
      await store.publish(kept)
      await store.discard(kept)
      expect(textOf(await store.get('t/part-2'))).toBe('rows')
    })

    it('that is lost is never passed over', async () => {
      const { store } = opened()
      const lost = await store.stage('t/part-1', bytes)
      await store.discard(lost)
      await expect(store.publish(lost)).rejects.toMatchObject({ code: 'STAGED_OBJECT_LOST', retriable: false })
      expect(await store.get('t/part-1')).toBeNull()
    })

    it('is visible once it is published, or says that another object is in its place', async () => {
      const { store } = opened()
      const ousted = await store.stage('t/part-2', bytes)
      await store.createOnly('t/part-2', bytesOf('ROWS'))
      if (publishingReplaces) await store.publish(ousted)
      else await expect(store.publish(ousted)).rejects.toMatchObject({ code: 'STAGED_OBJECT_LOST' })
      expect(textOf(await store.get('t/part-2'))).toBe(publishingReplaces ? 'rows' : 'ROWS')
    })

    it('may be larger than a part of an upload, or empty', async () => {
      const { store, reopen } = opened()
      for (const size of [0, 1, 8 * 1024 * 1024, 8 * 1024 * 1024 + 1, 20_000_000]) {
        const large = sealed(`${size} bytes `, size)
        const staged = JSON.parse(JSON.stringify(await store.stage(`t/${size}`, large))) as StagedObject
        await (await reopen()).publish(staged)
        const read = await store.get(`t/${size}`)
        expect(read !== null && read.length === large.length && isSealed(read)).toBe(true)
        await store.publish(staged)
      }
    })

    it('whose object was changed since it was published is noticed by size or checksum', async () => {
      const { store } = opened()
      for (const [key, other] of [
        ['t/part-1', 'rowS'],
        ['t/part-2', 'rows and more'],
      ] as const) {
        const staged = await store.stage(key, bytes)
        await store.publish(staged)
        await store.remove(key)
        await store.createOnly(key, bytesOf(other))
        await expect(store.publish(staged)).rejects.toMatchObject({ code: 'STAGED_OBJECT_LOST' })
      }
    })

    it('that nobody published is found by its prefix, by another process as well', async () => {
      const { store, reopen } = opened()
      const [a, b] = [await store.stage('t/x=1/part-1', bytes), await store.stage('t/x=2/part-1', bytes)]
      await store.publish(await store.stage('t/x=1/part-2', bytes))
      await store.stage('tt/part-1', bytes)
      const other = await reopen()
      expect(await uploadsOf(other, 't/')).toEqual([a, b].map(nameOf))
      expect(await uploadsOf(other, 't/x=2/')).toEqual([b].map(nameOf))
      for await (const staged of other.listStaged('')) await other.discard(staged)
      expect(await collect(store.listStaged(''))).toEqual([])
      await expect(store.publish(a)).rejects.toMatchObject({ code: 'STAGED_OBJECT_LOST' })
    })
  })

  describe(`${name}: a hostile key`, () => {
    const opened = eachTime(open)

    it.each(HOSTILE)('is refused everywhere: %j', async key => {
      const { store } = opened()
      const refusal = { code: 'STORE_UNSAFE_KEY' }
      await expect(store.createOnly(key, bytesOf('x'))).rejects.toMatchObject(refusal)
      await expect(store.get(key)).rejects.toMatchObject(refusal)
      await expect(store.getVersioned(key)).rejects.toMatchObject(refusal)
      await expect(store.replace(key, bytesOf('x'), null)).rejects.toMatchObject(refusal)
      await expect(store.replace(key, bytesOf('x'), '0.00000000')).rejects.toMatchObject(refusal)
      await expect(store.head(key)).rejects.toMatchObject(refusal)
      await expect(store.remove(key)).rejects.toMatchObject(refusal)
      await expect(store.stage(key, bytesOf('x'))).rejects.toMatchObject(refusal)
      const staged = { ...(await store.stage('fine', bytesOf('x'))), key }
      await expect(store.publish(staged)).rejects.toMatchObject(refusal)
      expect(await keysOf(store, '')).toEqual([])
    })

    it.each(['/', '../', 'a/../', 'a//', '/etc/', './', 'a\\', 'a\u0000', '.millrace-staging/'])(
      'is refused as a prefix as well: %j',
      async prefix => {
        const { store } = opened()
        await expect(collect(store.list(prefix))).rejects.toMatchObject({ code: 'STORE_UNSAFE_KEY' })
        await expect(collect(store.listStaged(prefix))).rejects.toMatchObject({ code: 'STORE_UNSAFE_KEY' })
      },
    )

    it('is not one that only looks strange', async () => {
      const { store } = opened()
      const keys = [
        '..a/b..',
        'date=2026-01-01/ü 日本 🎬',
        'a%2Fb',
        '-',
        '~',
        'a:b',
        '.hidden',
        'x'.repeat(200),
        '*?"<>|',
      ]
      for (const key of keys) expect(await store.createOnly(key, bytesOf(key))).toBe('created')
      expect(await keysOf(store, '')).toEqual(keys.toSorted())
      for (const key of keys) {
        const staged = await store.stage(`staged/${key}`, bytesOf(key))
        await store.publish(staged)
        expect(textOf(await store.get(`staged/${key}`))).toBe(key)
      }
    })
  })
}

const eachTime = (open: () => Promise<OpenedStore>): (() => OpenedStore) => {
  let current: OpenedStore | null = null
  beforeEach(async () => {
    current = await open()
  })
  afterEach(async () => {
    await current?.close()
  })
  return () => current as OpenedStore
}
