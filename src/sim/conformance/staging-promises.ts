import { crc32cHex } from '../../base/crc32c.ts'
import { utf8Bytes as bytesOf } from '../../base/text.ts'
import type { ObjectStore, StagedObject, StagedUpload } from '../../storage/object-store.ts'
import { isSealed, keysOf, type OpenedStore, sealed, textOf } from './opened-store.ts'
import { type Case, collect, equal, holds, refuses } from './promise.ts'

const bytes = bytesOf('rows')
const nameOf = ({ key, upload }: StagedUpload): StagedUpload => ({ key, upload })
const uploadsOf = async (store: ObjectStore, prefix: string): Promise<readonly StagedUpload[]> =>
  (await collect(store.listStaged(prefix))).map(nameOf)

/** Objects that are staged first and published later. */
export const STAGING_PROMISES: readonly Case<OpenedStore>[] = [
  [
    'is seen by nobody until it is published, and then by everybody',
    async ({ store, reopen }) => {
      const staged = await store.stage('t/part-1', bytes)
      const other = await reopen()
      equal(await other.get('t/part-1'), null)
      equal(await other.head('t/part-1'), null)
      equal(await keysOf(other, ''), [])
      await store.publish(staged)
      equal(textOf(await other.get('t/part-1')), 'rows')
      equal(await keysOf(other, ''), ['t/part-1'])
    },
  ],

  [
    'is described by plain data that another process can publish',
    async ({ store, reopen }) => {
      const staged = JSON.parse(JSON.stringify(await store.stage('t/part-1', bytes))) as StagedObject
      equal([staged.key, staged.size, staged.crc32c], ['t/part-1', 4, crc32cHex(bytes)])
      await (await reopen()).publish(staged)
      equal(textOf(await store.get('t/part-1')), 'rows')
    },
  ],

  [
    'may be published again, also by many at once',
    async ({ store, reopen }) => {
      const staged = await store.stage('t/part-1', bytes)
      const other = await reopen()
      await Promise.all([store, other, store, other].map(each => each.publish(staged)))
      await other.publish(staged)
      equal(textOf(await store.get('t/part-1')), 'rows')
      equal(await collect(store.listStaged('')), [])
    },
  ],

  [
    'is an upload of its own each time, also under the same key',
    async ({ store }) => {
      const [first, second] = [await store.stage('t/part-1', bytes), await store.stage('t/part-1', bytes)]
      holds(first.upload !== second.upload, 'each upload has a name of its own')
      await store.discard(first)
      await store.publish(second)
      equal(textOf(await store.get('t/part-1')), 'rows')
    },
  ],

  [
    'is gone once discarded; discarding again is no error and takes nothing that is published',
    async ({ store }) => {
      const dropped = await store.stage('t/part-1', bytes)
      await store.discard(dropped)
      await store.discard(dropped)
      equal(await keysOf(store, ''), [])
      await refuses(store.publish(dropped), 'STAGED_OBJECT_LOST')
      const kept = await store.stage('t/part-2', bytes)
      await store.publish(kept)
      await store.discard(kept)
      equal(textOf(await store.get('t/part-2')), 'rows')
    },
  ],

  [
    'that is lost is never passed over',
    async ({ store }) => {
      const lost = await store.stage('t/part-1', bytes)
      await store.discard(lost)
      await refuses(store.publish(lost), 'STAGED_OBJECT_LOST')
      equal(await store.get('t/part-1'), null)
    },
  ],

  [
    'may be larger than a part of an upload, or empty',
    async ({ store, reopen }) => {
      for (const size of [0, 1, 8 * 1024 * 1024, 8 * 1024 * 1024 + 1, 20_000_000]) {
        const large = sealed(`${size} bytes `, size)
        const staged = JSON.parse(JSON.stringify(await store.stage(`t/${size}`, large))) as StagedObject
        await (await reopen()).publish(staged)
        const read = await store.get(`t/${size}`)
        equal(read !== null && read.length === large.length && isSealed(read), true)
        await store.publish(staged)
      }
    },
  ],

  [
    'is read from memory that threads share, and does not change when that is filled again',
    async ({ store }) => {
      const large = sealed('from shared memory ', 9_000_000)
      const shared = new Uint8Array(new SharedArrayBuffer(large.length))
      shared.set(large)
      const staged = await store.stage('t/shared', shared)
      shared.fill(0)
      await store.publish(staged)
      const read = await store.get('t/shared')
      equal(read !== null && read.length === large.length && isSealed(read), true)
    },
  ],

  [
    'whose object was changed since it was published is noticed by size or checksum',
    async ({ store }) => {
      for (const [key, other] of [
        ['t/part-1', 'rowS'],
        ['t/part-2', 'rows and more'],
      ] as const) {
        const staged = await store.stage(key, bytes)
        await store.publish(staged)
        await store.remove(key)
        await store.createOnly(key, bytesOf(other))
        await refuses(store.publish(staged), 'STAGED_OBJECT_LOST')
      }
    },
  ],

  [
    'that nobody published is found by its prefix, by another process as well',
    async ({ store, reopen }) => {
      const [a, b] = [await store.stage('t/x=1/part-1', bytes), await store.stage('t/x=2/part-1', bytes)]
      await store.publish(await store.stage('t/x=1/part-2', bytes))
      await store.stage('tt/part-1', bytes)
      const other = await reopen()
      equal(await uploadsOf(other, 't/'), [a, b].map(nameOf))
      equal(await uploadsOf(other, 't/x=2/'), [b].map(nameOf))
      for await (const staged of other.listStaged('')) await other.discard(staged)
      equal(await collect(store.listStaged('')), [])
      await refuses(store.publish(a), 'STAGED_OBJECT_LOST')
    },
  ],
]

/** What becomes of a key that another took meanwhile: a store that can't tell replaces what is there. */
export const oustedPromise = (publishingReplaces: boolean): Case<OpenedStore> => [
  'is visible once it is published, or says that another object is in its place',
  async ({ store }) => {
    const ousted = await store.stage('t/part-2', bytes)
    await store.createOnly('t/part-2', bytesOf('ROWS'))
    if (publishingReplaces) await store.publish(ousted)
    else await refuses(store.publish(ousted), 'STAGED_OBJECT_LOST')
    equal(textOf(await store.get('t/part-2')), publishingReplaces ? 'rows' : 'ROWS')
  },
]
