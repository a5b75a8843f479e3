import { utf8Bytes as bytesOf } from '../../base/text.ts'
import { keysOf, type OpenedStore, textOf } from './opened-store.ts'
import { type Case, collect, equal, refuses } from './promise.ts'

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
  'ü'.repeat(101),
  Array.from({ length: 10 }, () => 'x'.repeat(100)).join('/'),
]

const HOSTILE_PREFIXES = ['/', '../', 'a/../', 'a//', '/etc/', './', 'a\\', 'a\u0000', '.millrace-staging/']

/** Keys that would leave the store, or mean something else elsewhere. */
export const KEY_PROMISES: readonly Case<OpenedStore>[] = [
  [
    'is refused everywhere',
    async ({ store }) => {
      const staged = await store.stage('fine', bytesOf('x'))
      for (const key of HOSTILE) {
        await refuses(store.createOnly(key, bytesOf('x')), 'STORE_UNSAFE_KEY')
        await refuses(store.get(key), 'STORE_UNSAFE_KEY')
        await refuses(store.getVersioned(key), 'STORE_UNSAFE_KEY')
        await refuses(store.replace(key, bytesOf('x'), null), 'STORE_UNSAFE_KEY')
        await refuses(store.replace(key, bytesOf('x'), '0.00000000'), 'STORE_UNSAFE_KEY')
        await refuses(store.head(key), 'STORE_UNSAFE_KEY')
        await refuses(store.remove(key), 'STORE_UNSAFE_KEY')
        await refuses(store.stage(key, bytesOf('x')), 'STORE_UNSAFE_KEY')
        await refuses(store.publish({ ...staged, key }), 'STORE_UNSAFE_KEY')
        equal(await keysOf(store, ''), [])
      }
    },
  ],
  [
    'is refused as a prefix as well',
    async ({ store }) => {
      for (const prefix of HOSTILE_PREFIXES) {
        await refuses(collect(store.list(prefix)), 'STORE_UNSAFE_KEY')
        await refuses(collect(store.listStaged(prefix)), 'STORE_UNSAFE_KEY')
      }
    },
  ],
  [
    'is not one that only looks strange',
    async ({ store }) => {
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
      for (const key of keys) equal(await store.createOnly(key, bytesOf(key)), 'created')
      equal(await keysOf(store, ''), keys.toSorted())
      for (const key of keys) {
        const staged = await store.stage(`staged/${key}`, bytesOf(key))
        await store.publish(staged)
        equal(textOf(await store.get(`staged/${key}`)), key)
      }
    },
  ],
]
