import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonValue } from '../../../src/base/json.ts'
import { utf8Bytes, utf8Text } from '../../../src/base/text.ts'
import { batchId } from '../../../src/base/units.ts'
import { inspectCheckpoint } from '../../../src/checkpoint/checkpoint-store.ts'
import { decodeEntry, encodeEntry } from '../../../src/checkpoint/entry-codec.ts'
import { shapeDifferences } from '../../../src/checkpoint/shape-differences.ts'
import { memoryObjectStore } from '../../../src/storage/memory/memory-object-store.ts'
import type { ObjectStore } from '../../../src/storage/object-store.ts'
import { openTestCheckpoint, planOf, runBatches } from '../../support/checkpoints.ts'

const GENERATION = '_checkpoints/plays/gen-0001'
const plan = (batch: number): string => `${GENERATION}/offsets/${String(batch).padStart(12, '0')}.json`
const commit = (batch: number): string => `${GENERATION}/commits/${String(batch).padStart(12, '0')}.json`

const replace = async (store: ObjectStore, key: string, change: (text: string) => string): Promise<void> => {
  const text = utf8Text((await store.get(key)) ?? new Uint8Array())
  await store.remove(key)
  await store.createOnly(key, utf8Bytes(change(text)))
}

/** A checkpoint after three batches, with batch 3 planned. */
const written = async (): Promise<ObjectStore> => {
  const store = memoryObjectStore()
  const checkpoint = await openTestCheckpoint(store, 1)
  await runBatches(checkpoint, 0, 3)
  await checkpoint.logPlan(planOf(3))
  return store
}

const recover = async (store: ObjectStore) => (await openTestCheckpoint(store, 2)).recover()
const epochs = async (store: ObjectStore): Promise<number> => {
  let count = 0
  for await (const { key } of store.list('_checkpoints/plays/epochs/')) count += key === '' ? 0 : 1
  return count
}

describe('a damaged checkpoint is refused', () => {
  it.each([commit(2), plan(3)])('wherever a byte of an entry changed or is missing: %s', async key => {
    const store = await written()
    const whole = (await store.get(key)) as Uint8Array
    const put = async (bytes: Uint8Array): Promise<void> => {
      await store.remove(key)
      await store.createOnly(key, bytes)
    }
    for (let at = 0; at < whole.length; at += 1) {
      const flipped = whole.slice()
      flipped[at] = (flipped[at] as number) ^ 1
      await put(flipped)
      const refusal = { code: expect.stringMatching(/^(CHECKPOINT_DAMAGED|CHECKPOINT_FORMAT_NEWER)$/) }
      await expect(recover(store), `byte ${at}`).rejects.toMatchObject(refusal)
      await put(whole.slice(0, at))
      await expect(recover(store), `cut at ${at}`).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' })
    }
    await put(whole)
    expect(await recover(store)).toMatchObject({ commit: { batchId: 2 }, openPlan: { batchId: 3 } })
  })

  it('where an entry has the checksum of other contents than it should have', async () => {
    for (const change of [
      { batchId: 1 },
      { partitions: null },
      { partitions: [{ topic: 'plays' }] },
      { state: [{ snapshot: {}, changes: [] }] },
      { watermarks: ['soon'] },
      { epoch: -1 },
      { nonce: undefined },
    ]) {
      const store = await written()
      const entry = decodeEntry(commit(2), (await store.get(commit(2))) as Uint8Array)
      await store.remove(commit(2))
      await store.createOnly(commit(2), encodeEntry({ ...entry, ...change }))
      await expect(recover(store), JSON.stringify(change)).rejects.toMatchObject({
        code: 'CHECKPOINT_DAMAGED',
        details: { key: commit(2) },
      })
    }
  })

  it('where the newest commit is gone although the next batch was planned: its rows would be written twice', async () => {
    const store = await written()
    await store.remove(commit(2))
    await expect(recover(store)).rejects.toMatchObject({
      code: 'CHECKPOINT_DAMAGED',
      message: expect.stringContaining(commit(2)),
    })
    await expect(inspectCheckpoint(store, 'plays')).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' })
  })

  it('where all commits are gone', async () => {
    const store = await written()
    for (const batch of [0, 1, 2]) await store.remove(commit(batch))
    await expect(recover(store)).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' })
  })

  it('where state is gone, cut or changed', async () => {
    const store = memoryObjectStore()
    const checkpoint = await openTestCheckpoint(store, 1)
    const state = await checkpoint.writeState(0, batchId(0), 'snapshot', Uint8Array.of(1, 2, 3))
    expect(await checkpoint.readState(state)).toEqual(Uint8Array.of(1, 2, 3))
    for (const bytes of [Uint8Array.of(1, 2), Uint8Array.of(1, 2, 4), Uint8Array.of(1, 2, 3, 0), null]) {
      await store.remove(state.key)
      if (bytes !== null) await store.createOnly(state.key, bytes)
      await expect(checkpoint.readState(state)).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' })
    }
  })

  it('with its header gone or damaged, before the driver that runs is fenced', async () => {
    const store = await written()
    await replace(store, `${GENERATION}/header.json`, text => text.replace('plays', 'plans'))
    await expect(recover(store)).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' })
    expect(await epochs(store)).toBe(1)
  })
})

describe('a checkpoint of something else is refused, before the driver that runs is fenced', () => {
  const refused = async (store: ObjectStore, options: Parameters<typeof openTestCheckpoint>[2]) => {
    const before = await epochs(store)
    const error: unknown = await openTestCheckpoint(store, 2, options).then(
      () => null,
      (thrown: unknown) => thrown,
    )
    expect(await epochs(store)).toBe(before)
    return error
  }

  it('of a newer format, with the advice to run a newer version', async () => {
    const store = await written()
    await replace(store, `${GENERATION}/header.json`, text => text.replace('"format":1', '"format":2'))
    expect(await refused(store, {})).toMatchObject({
      code: 'CHECKPOINT_FORMAT_NEWER',
      remedy: expect.stringContaining('newer'),
    })
    const other = await written()
    await replace(other, commit(2), text => text.replace('"format":1', '"format":99'))
    await expect(recover(other)).rejects.toMatchObject({ code: 'CHECKPOINT_FORMAT_NEWER' })
  })

  it('of another pipeline', async () => {
    const store = await written()
    const header = (await store.get(`${GENERATION}/header.json`)) as Uint8Array
    await store.createOnly('_checkpoints/listens/gen-0001/header.json', header)
    const error = await refused(store, { pipeline: 'listens' })
    expect(error).toMatchObject({
      code: 'CHECKPOINT_OF_OTHER_PIPELINE',
      message: 'the checkpoint belongs to plays, not listens',
    })
  })

  it('of a plan that changed, with the difference named', async () => {
    const store = await written()
    expect(await refused(store, { shape: { branches: [{ window: { sizeMs: 60_000 } }] } })).toMatchObject({
      code: 'PLAN_CHANGED',
      message: expect.stringContaining('branches[0].window.sizeMs: 10000 became 60000'),
      exitCode: 2,
    })
    expect(await refused(store, { shape: { branches: [] } })).toMatchObject({
      message: expect.stringContaining('branches[0]: {"window":{"sizeMs":10000}} became nothing'),
    })
  })

  it('of a topic that was made anew', async () => {
    const store = await written()
    expect(await refused(store, { sourceIdentity: 'topic 2' })).toMatchObject({ code: 'TOPIC_RECREATED', exitCode: 4 })
  })
})

describe('a new checkpoint', () => {
  it('begins at batch 0 beside the old one, which it leaves as it is, whatever that one was for', async () => {
    const store = await written()
    await replace(store, `${GENERATION}/header.json`, () => 'nonsense')
    const fresh = await openTestCheckpoint(store, 2, { mode: 'new', shape: { other: true }, sourceIdentity: 'topic 2' })
    expect(await fresh.recover()).toEqual({ commit: null, openPlan: null })
    expect(fresh.header).toMatchObject({ sourceIdentity: 'topic 2', shape: { other: true } })
    await runBatches(fresh, 0, 1)
    expect(await store.head(commit(2))).not.toBeNull()
    const next = await openTestCheckpoint(store, 3, { shape: { other: true }, sourceIdentity: 'topic 2' })
    expect((await next.recover()).commit).toMatchObject({ batchId: 0, epoch: 2 })
  })

  it('fences the driver of the old one', async () => {
    const store = memoryObjectStore()
    const old = await openTestCheckpoint(store, 1)
    await runBatches(old, 0, 2)
    await openTestCheckpoint(store, 2, { mode: 'new' })
    await expect(old.logPlan(planOf(2))).rejects.toMatchObject({ code: 'FENCED' })
  })
})

describe('what status is told', () => {
  it('is nothing without a checkpoint, and takes no epoch', async () => {
    const empty = memoryObjectStore()
    expect(await inspectCheckpoint(empty, 'plays')).toBeNull()
    const store = await written()
    expect(await inspectCheckpoint(store, 'plays')).toMatchObject({
      commit: { batchId: 2 },
      openPlan: { batchId: 3 },
      header: { pipeline: 'plays' },
      recent: [{ batchId: 0 }, { batchId: 1 }, { batchId: 2 }],
    })
    expect(await epochs(store)).toBe(1)
  })

  it('is of the last ten batches, and true while a driver goes on', async () => {
    const store = memoryObjectStore()
    const checkpoint = await openTestCheckpoint(store, 1)
    const running = runBatches(checkpoint, 0, 300)
    let looks = 0
    for (let newest = -1; newest < 299; looks += 1) {
      const seen = await inspectCheckpoint(store, 'plays')
      expect(seen?.commit?.batchId ?? -1).toBeGreaterThanOrEqual(newest)
      newest = seen?.commit?.batchId ?? -1
      expect(seen?.recent.map(each => each.batchId)).toEqual(
        Array.from({ length: Math.min(10, newest + 1) }, (_, at) => Math.max(0, newest - 9) + at),
      )
    }
    await running
    expect(looks).toBeGreaterThan(3)
  })
})

describe('differences of two shapes', () => {
  it('are none exactly where they are equal, and name a path where they are not', () => {
    const value = fc.letrec<{ value: JsonValue }>(tie => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.string(),
        fc.integer(),
        fc.boolean(),
        fc.array(tie('value'), { minLength: 1, maxLength: 3 }),
        fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
      ),
    })).value
    fc.assert(
      fc.property(value, value, (before, after) => {
        const same = JSON.stringify(sorted(before)) === JSON.stringify(sorted(after))
        expect(shapeDifferences(before, before)).toEqual([])
        expect(shapeDifferences(before, after).length === 0).toBe(same)
      }),
    )
  })

  it('are cut where they are long', () => {
    const [line] = shapeDifferences({ fields: 'x'.repeat(500) }, { fields: 1 })
    expect(line).toMatch(/^fields: x{117}… became 1$/)
  })
})

const sorted = (value: JsonValue): JsonValue => {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value as { readonly [key: string]: JsonValue })
  return Object.fromEntries(
    entries.map(([key, each]) => [key, sorted(each)] as const).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )
}
