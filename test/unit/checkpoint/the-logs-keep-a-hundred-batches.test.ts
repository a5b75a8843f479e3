import { describe, expect, it } from 'vitest'
import { batchId } from '../../../src/base/units.ts'
import type { StateObject } from '../../../src/checkpoint/entries.ts'
import { memoryObjectStore } from '../../../src/storage/memory/memory-object-store.ts'
import type { ObjectStore } from '../../../src/storage/object-store.ts'
import { commitOf, openTestCheckpoint, planOf, runBatches } from '../../support/checkpoints.ts'
import { Crash, crashingStore } from '../../support/faulty-store.ts'

const GENERATION = '_checkpoints/plays/gen-0001'

const batchesIn = async (store: ObjectStore, log: 'offsets' | 'commits'): Promise<readonly number[]> => {
  const batches: number[] = []
  for await (const { key } of store.list(`${GENERATION}/${log}/`)) batches.push(Number(/(\d+)\.json$/.exec(key)?.[1]))
  return batches
}
const stateKeys = async (store: ObjectStore): Promise<readonly string[]> => {
  const keys: string[] = []
  for await (const { key } of store.list(`${GENERATION}/state/`)) keys.push(key)
  return keys
}
const range = (from: number, until: number) => Array.from({ length: until - from }, (_, at) => from + at)

async function* nothing(): AsyncIterable<never> {
  // a listing that shows nothing
}

/** Batches 0 to 249, each with a change of its own; every tenth begins the state log anew. */
const written = async (retainBatches: number) => {
  const store = memoryObjectStore()
  const checkpoint = await openTestCheckpoint(store, 1, { retainBatches })
  let listed: readonly StateObject[] = []
  for (let batch = 0; batch < 250; batch += 1) {
    await checkpoint.logPlan(planOf(batch))
    const change = await checkpoint.writeState(0, batchId(batch), 'changes', Uint8Array.of(batch))
    listed = batch % 10 === 0 ? [change] : [...listed, change]
    await checkpoint.commit({ ...commitOf(batch), state: [{ snapshot: null, changes: listed }] })
  }
  const { commit } = await checkpoint.recover()
  if (commit === null) throw new Error('nothing was committed')
  return { store, checkpoint, newest: commit }
}

describe('the logs', () => {
  it.each([
    { retainBatches: 0, kept: 100 },
    { retainBatches: 100, kept: 100 },
    { retainBatches: 180, kept: 180 },
    { retainBatches: 1000, kept: 250 },
  ])('keep the last batches: %j', async ({ retainBatches, kept }) => {
    const { store, checkpoint, newest } = await written(retainBatches)
    await checkpoint.prune(newest)
    expect(await batchesIn(store, 'offsets')).toEqual(range(250 - kept, 250))
    expect(await batchesIn(store, 'commits')).toEqual(range(250 - kept, 250))
    expect((await checkpoint.recover()).commit).toEqual(newest)
  })

  it('are found without any listing, pruned or not', async () => {
    const { store, newest } = await written(100)
    const blind = new Proxy(store, {
      get: (target, name) => {
        const member: unknown = name === 'list' ? nothing : Reflect.get(target, name)
        return typeof member === 'function' ? member.bind(target) : member
      },
    })
    expect((await (await openTestCheckpoint(blind, 2)).recover()).commit).toEqual(newest)
    await (await openTestCheckpoint(store, 3)).prune(newest)
    expect((await (await openTestCheckpoint(blind, 4)).recover()).commit).toEqual(newest)
    for (const batch of range(150, 250))
      await store.remove(`${GENERATION}/commits/${String(batch).padStart(12, '0')}.json`)
    const damaged = await openTestCheckpoint(blind, 5)
    await expect(damaged.recover()).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' })
  })

  it('are not pruned by a driver that is behind, which would forget where the newer one stands', async () => {
    const { store, checkpoint, newest } = await written(100)
    await checkpoint.prune(newest)
    const older = await checkpoint.readCommit(batchId(200))
    if (older === null) throw new Error('batch 200 is kept')
    await checkpoint.prune(older)
    expect(await batchesIn(store, 'commits')).toEqual(range(150, 250))
    expect((await checkpoint.recover()).commit).toEqual(newest)
  })

  it('keep every state object that the newest commit lists, and none before it that is not listed', async () => {
    const { store, checkpoint, newest } = await written(100)
    const orphan = await checkpoint.writeState(0, batchId(249), 'changes', Uint8Array.of(1))
    const next = await checkpoint.writeState(0, batchId(250), 'snapshot', Uint8Array.of(2))
    await checkpoint.prune(newest)
    const listed = newest.state[0]?.changes ?? []
    expect(listed).toHaveLength(10)
    expect(await stateKeys(store)).toEqual([...listed.map(({ key }) => key), next.key].toSorted())
    for (const each of listed) expect((await checkpoint.readState(each)).length).toBe(1)
    await expect(checkpoint.readState(orphan)).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' })
  })

  it('recover from a crash at any moment of pruning, and go on', async () => {
    const { store: probeStore, newest } = await written(100)
    const probe = crashingStore(probeStore, null)
    const probed = await openTestCheckpoint(probe.store, 2)
    const before = probe.state.calls
    await probed.prune(newest)
    const calls = probe.state.calls
    expect(calls - before).toBeGreaterThan(500)
    for (let call = before + 1; call <= calls; call += 29) {
      const { store } = await written(100)
      const crashing = await openTestCheckpoint(crashingStore(store, { call, when: 'after' }).store, 2)
      await expect(crashing.prune(newest)).rejects.toBeInstanceOf(Crash)
      const next = await openTestCheckpoint(store, 3)
      expect((await next.recover()).commit).toEqual(newest)
      for (const each of newest.state[0]?.changes ?? []) await next.readState(each)
      await runBatches(next, 250, 251)
      const { commit } = await next.recover()
      if (commit === null) throw new Error('nothing was committed')
      await next.prune(commit)
      expect(await batchesIn(store, 'commits')).toEqual(range(151, 251))
    }
  })
})
