import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../src/base/random.ts'
import { utf8Bytes } from '../../../src/base/text.ts'
import { batchId, driverEpoch } from '../../../src/base/units.ts'
import type { SinkOutput } from '../../../src/sinks/sink.ts'
import { tableSink } from '../../../src/sinks/table-sink.ts'
import { memoryObjectStore } from '../../../src/storage/memory/memory-object-store.ts'
import type { ObjectStore } from '../../../src/storage/object-store.ts'

const random = seededRandom(7)
const sinkOver = (store: ObjectStore, table = 'plays', pipeline = 'trending') =>
  tableSink({ store, table, pipeline, random, description: `parquet ${table}` })

const output = (batch: number, files: Readonly<Record<string, string>>): SinkOutput => ({
  batchId: batchId(batch),
  epoch: driverEpoch(1),
  watermark: null,
  files: Object.entries(files).map(([partition, text]) => ({ partition, bytes: utf8Bytes(text), rows: 1 })),
  rows: [],
})

const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const collected: T[] = []
  for await (const item of items) collected.push(item)
  return collected
}
const visible = async (store: ObjectStore) => (await collect(store.list(''))).map(object => object.key)
const staged = async (store: ObjectStore) => (await collect(store.listStaged(''))).map(object => object.key)

describe('only committed files become visible', () => {
  it('shows nothing before publish, each file once after it, however often it is repeated', async () => {
    const store = memoryObjectStore()
    const sink = sinkOver(store)
    const receipt = await sink.prepare(output(12, { 'date=2026-01-15/hour=10': 'ten', '': 'flat' }))
    expect(await visible(store)).toEqual([])
    // what a commit entry keeps is JSON, and another process reads it
    const reread = JSON.parse(JSON.stringify(receipt))
    await sink.publish(reread)
    await sinkOver(store).publish(reread)
    expect(await visible(store)).toEqual([
      expect.stringMatching(/^plays\/date=2026-01-15\/hour=10\/part-000000000012-00000-[0-9a-f]{8}-trending\.parquet$/),
      expect.stringMatching(/^plays\/part-000000000012-00001-[0-9a-f]{8}-trending\.parquet$/),
    ])
    expect(await staged(store)).toEqual([])
  })

  it('never uses a name twice, also not for the same batch', async () => {
    const store = memoryObjectStore()
    await sinkOver(store).prepare(output(1, { '': 'a' }))
    await sinkOver(store).prepare(output(1, { '': 'a' }))
    expect(new Set(await staged(store)).size).toBe(2)
  })

  it('takes a batch without files', async () => {
    const store = memoryObjectStore()
    const receipt = await sinkOver(store).prepare(output(1, {}))
    expect(receipt).toEqual({ objects: [] })
    await sinkOver(store).publish(receipt)
    expect(await visible(store)).toEqual([])
  })

  it('drops what was prepared in vain, repeatably', async () => {
    const store = memoryObjectStore()
    const sink = sinkOver(store)
    const receipt = await sink.prepare(output(1, { 'hour=1': 'a', 'hour=2': 'b' }))
    await sink.discard(receipt)
    await sink.discard(receipt)
    expect(await staged(store)).toEqual([])
  })

  it('clears up only its own left-overs of batches that are committed', async () => {
    const store = memoryObjectStore()
    const sink = sinkOver(store)
    for (const batch of [3, 4, 5]) await sink.prepare(output(batch, { 'date=2026-01-15/hour=10': 'a' }))
    await sinkOver(store, 'plays', 'other').prepare(output(3, { '': 'another pipeline' }))
    await sinkOver(store, 'plays', 'very-trending').prepare(output(3, { '': 'a pipeline with a longer name' }))
    await sinkOver(store, 'plays/raw').prepare(output(3, { '': 'a table in a folder of this one' }))
    await sinkOver(store, 'plays2').prepare(output(3, { '': 'another table' }))
    await store.stage('plays/part-of-someone-else.parquet', utf8Bytes('not ours'))
    const before = await staged(store)
    await sink.clearUp(batchId(4))
    const dropped = before.filter(key => /plays\/date=.*part-00000000000[34]/.test(key))
    expect(dropped).toHaveLength(2)
    expect(await staged(store)).toEqual(before.filter(key => !dropped.includes(key)))
  })

  it('leaves nothing staged when one upload fails, and tells the error', async () => {
    const store = memoryObjectStore()
    let uploads = 0
    const failing: ObjectStore = Object.assign(Object.create(store) as ObjectStore, {
      stage: async (key: string, bytes: Uint8Array) => {
        if (++uploads === 5) throw new Error('the disk is full')
        return store.stage(key, bytes)
      },
      discard: (object: Parameters<ObjectStore['discard']>[0]) => store.discard(object),
    })
    const files = Object.fromEntries(Array.from({ length: 40 }, (_, hour) => [`hour=${hour}`, 'x']))
    await expect(sinkOver(failing).prepare(output(1, files))).rejects.toThrow('the disk is full')
    expect(await staged(store)).toEqual([])
    expect(uploads).toBeLessThan(20)
  })

  it('uploads a few files at a time, never all at once', async () => {
    const store = memoryObjectStore()
    let running = 0
    let most = 0
    const counting: ObjectStore = Object.assign(Object.create(store) as ObjectStore, {
      stage: async (key: string, bytes: Uint8Array) => {
        most = Math.max(most, ++running)
        await new Promise(resolve => setImmediate(resolve))
        running--
        return store.stage(key, bytes)
      },
    })
    const files = Object.fromEntries(Array.from({ length: 50 }, (_, hour) => [`hour=${hour}`, `${hour}`]))
    const receipt = await sinkOver(counting).prepare(output(1, files))
    expect(most).toBe(8)
    expect((receipt as unknown as { objects: { key: string }[] }).objects.map(({ key }) => key.split('/')[1])).toEqual(
      Object.keys(files),
    )
  })

  it('keeps the parts of a multipart upload in its receipt', async () => {
    const parts = [{ etag: '"e1"', checksum: 'c1' }]
    const store = Object.assign(Object.create(memoryObjectStore()) as ObjectStore, {
      stage: async (key: string) => ({ key, upload: 'u', size: 1, crc32c: '0badcafe', parts }),
      publish: async (object: unknown) => expect(object).toMatchObject({ upload: 'u', parts }),
    })
    await sinkOver(store).publish(await sinkOver(store).prepare(output(1, { '': 'a' })))
    expect.assertions(1)
  })

  const good = { key: 'plays/a.parquet', upload: 'u', size: 1, crc32c: '0badcafe' }
  it.each([
    ['null', null],
    ['no list', { objects: 'x' }],
    ['no object', { objects: [1] }],
    ['no key', { objects: [{ ...good, key: '' }] }],
    ['no upload', { objects: [{ ...good, upload: 1 }] }],
    ['a negative size', { objects: [{ ...good, size: -1 }] }],
    ['a size that is no number', { objects: [{ ...good, size: '1' }] }],
    ['a bad checksum', { objects: [{ ...good, crc32c: 'xyz' }] }],
    ['bad parts', { objects: [{ ...good, parts: {} }] }],
    ['a part without a tag', { objects: [{ ...good, parts: [{ checksum: 'c' }] }] }],
  ])('refuses a receipt with %s as damage of the checkpoint', async (_, receipt) => {
    await expect(sinkOver(memoryObjectStore()).publish(receipt)).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' })
  })
})
