import { beforeAll, expect, it } from 'vitest'
import { typescriptKernels } from '../../../src/columnar/typescript/index.ts'
import { parquetEncoder } from '../../../src/sinks/parquet/index.ts'
import type { TableEncoderFactory } from '../../../src/sinks/sink.ts'
import { memoryObjectStore } from '../../../src/storage/memory/memory-object-store.ts'
import type { ObjectStore } from '../../../src/storage/object-store.ts'
import { interceptedStore } from '../../support/faulty-store.ts'
import { listSource } from './fixtures/list-source.ts'
import { runTestBackfill } from './fixtures/run-backfill.ts'
import { followed, RANGE, smallPipeline, someRecords } from './fixtures/small-job.ts'
import { streamAll } from './fixtures/stream-all.ts'

let encoder: TableEncoderFactory
beforeAll(async () => {
  encoder = parquetEncoder(typescriptKernels)
})

const records = someRecords(6)
const backfill = (store: ObjectStore, reprocess: 'none' | 'failed') =>
  runTestBackfill(smallPipeline, { store, encoder, records, source: 'landed', range: RANGE, reprocess })

const landed = async () => {
  const store = memoryObjectStore()
  await streamAll(smallPipeline, listSource('events', records), store, encoder)
  const keys: string[] = []
  for await (const { key } of store.list('raw/date=2026-01-15/hour=10/')) keys.push(key)
  const key = keys[0] ?? ''
  return { store, key, bytes: (await store.get(key)) ?? new Uint8Array() }
}

const put = async (store: ObjectStore, key: string, bytes: Uint8Array): Promise<void> => {
  await store.remove(key)
  await store.createOnly(key, bytes)
}

it.each([
  ['cut', (bytes: Uint8Array) => bytes.slice(0, bytes.length - 20), 'LANDED_FILE_DAMAGED'],
  ['no Parquet', () => new TextEncoder().encode('hello'), 'LANDED_FILE_DAMAGED'],
  ['empty', () => new Uint8Array(0), 'LANDED_FILE_DAMAGED'],
  ['of zeros', (bytes: Uint8Array) => new Uint8Array(bytes.length), 'LANDED_FILE_DAMAGED'],
])('a file that is %s: three attempts, its name told, the other hours computed', async (_, damage, code) => {
  const { store, key, bytes } = await landed()
  await put(store, key, damage(bytes))
  let reads = 0
  const counting = interceptedStore(store, (call, name, args) => {
    if (name === 'get' && args[0] === key) reads += 1
    return call()
  })
  const { summary, events } = await backfill(counting, 'none')
  expect(summary).toEqual({ done: 1, failed: 1, skipped: 0 })
  expect(reads).toBe(3)
  const [failure] = events.filter(({ kind }) => kind === 'hourFailed')
  expect(failure).toMatchObject({
    hour: '2026-01-15T10',
    message: expect.stringContaining(`${code}: the landed file ${key}`),
  })
  expect((await followed(store)).ids).toHaveLength(1)

  await put(store, key, bytes)
  expect((await backfill(store, 'none')).summary).toEqual({ done: 0, failed: 1, skipped: 1 })
  expect((await backfill(store, 'failed')).summary).toEqual({ done: 1, failed: 0, skipped: 1 })
  expect((await followed(store)).ids).toHaveLength(2)
})

it('a file that vanishes after it was listed is named as missing', async () => {
  const { store, key } = await landed()
  const vanishing = interceptedStore(store, (call, name, args) =>
    name === 'get' && args[0] === key ? Promise.resolve(null) : call(),
  )
  const { events } = await backfill(vanishing, 'none')
  const [failure] = events.filter(({ kind }) => kind === 'hourFailed')
  expect(failure).toMatchObject({ message: expect.stringContaining(`LANDED_FILE_MISSING: the landed file ${key}`) })
})
