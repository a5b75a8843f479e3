import { describe, expect, it } from 'vitest'
import { MillraceError } from '../../../src/base/errors.ts'
import { batchId } from '../../../src/base/units.ts'
import { memoryObjectStore } from '../../../src/storage/memory/memory-object-store.ts'
import type { ObjectStore } from '../../../src/storage/object-store.ts'
import { commitOf, openTestCheckpoint, planOf, runBatches } from '../../support/checkpoints.ts'
import { interceptedStore } from '../../support/faulty-store.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const FENCED = { code: 'FENCED', exitCode: 3 }
const noAnswer = () => new MillraceError('STORE_FAILED', 'the store did not answer', { remedy: 'try again' })

/** Calls of one kind on keys with a part: how the first so many of them fail. */
interface Fault {
  readonly call: 'createOnly' | 'get' | 'head'
  readonly part: string
  readonly times: number
  readonly when: 'before' | 'after'
}

const failing = (store: ObjectStore, ...faults: readonly Fault[]) => {
  const left = faults.map(fault => ({ ...fault }))
  const seen: string[] = []
  const faulty = interceptedStore(store, async (call, name, [key]) => {
    const fault = left.find(each => each.call === name && String(key).includes(each.part) && each.times > 0)
    if (fault !== undefined) Object.assign(fault, { times: fault.times - 1 })
    seen.push(`${name} ${String(key)}`)
    if (fault?.when === 'before') throw noAnswer()
    const answer = await call()
    if (fault !== undefined) throw noAnswer()
    return answer
  })
  return { store: faulty, seen }
}

describe('one driver owns a pipeline', () => {
  it('gives drivers that race for it epochs of their own, without gaps, and lets only the highest plan', async () => {
    const store = memoryObjectStore()
    const drivers = await Promise.all(Array.from({ length: 8 }, (_, at) => openTestCheckpoint(store, at)))
    const epochs = drivers.map(driver => driver.epoch).toSorted((a, b) => a - b)
    expect(epochs).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    for (const driver of drivers) {
      if (driver.epoch < 8) await expect(driver.logPlan(planOf(0))).rejects.toMatchObject(FENCED)
      else expect(await driver.logPlan(planOf(0))).toMatchObject({ batchId: 0, epoch: 8 })
    }
  })

  it('lets a driver whose epoch was created without an answer go on with the next', async () => {
    const { store } = failing(memoryObjectStore(), { call: 'createOnly', part: '/epochs/', times: 2, when: 'after' })
    const driver = await openTestCheckpoint(store, 1)
    await runBatches(driver, 0, 2)
    expect((await driver.recover()).commit).toMatchObject({ batchId: 1, epoch: driver.epoch })
  })

  it('fences a driver that sleeps through its successor: no plan, no commit, no pruning', async () => {
    const store = memoryObjectStore()
    const zombie = await openTestCheckpoint(store, 1)
    await runBatches(zombie, 0, 3)
    await zombie.logPlan(planOf(3))
    const successor = await openTestCheckpoint(store, 2)
    const { commit, openPlan } = await successor.recover()
    expect(commit).toMatchObject({ batchId: 2, epoch: 1 })
    expect(openPlan).toMatchObject({ batchId: 3, epoch: 1 })
    await successor.commit(commitOf(3))
    await expect(zombie.commit(commitOf(3))).rejects.toMatchObject(FENCED)
    await expect(zombie.logPlan(planOf(4))).rejects.toMatchObject(FENCED)
    await expect(zombie.prune({ ...commitOf(3), epoch: zombie.epoch, nonce: '' })).rejects.toMatchObject(FENCED)
    expect((await successor.recover()).commit).toMatchObject({ batchId: 3, epoch: 2 })
  })
})

describe('an entry counts once, whoever wrote it', () => {
  it('is adopted by a higher epoch: the plan and the commit that a driver wrote before it was fenced', async () => {
    const store = memoryObjectStore()
    const first = await openTestCheckpoint(store, 1)
    await first.logPlan({ ...planOf(0), flush: true })
    const second = await openTestCheckpoint(store, 2)
    expect(await second.logPlan(planOf(0))).toMatchObject({ epoch: 1, flush: true })
    // it is written and counts; publishing it is the successor's
    await expect(first.commit({ ...commitOf(0), ledger: { by: 'first' } })).rejects.toMatchObject(FENCED)
    const { adopted, entry } = await second.commit({ ...commitOf(0), ledger: { by: 'second' } })
    expect(adopted).toBe(true)
    expect(entry).toMatchObject({ epoch: 1, ledger: { by: 'first' } })
    expect((await second.recover()).commit).toEqual(entry)
  })

  it('is our own where its answer was lost: go on', async () => {
    const { store, seen } = failing(
      memoryObjectStore(),
      { call: 'createOnly', part: '/offsets/', times: 1, when: 'after' },
      { call: 'createOnly', part: '/commits/', times: 1, when: 'after' },
    )
    const driver = await openTestCheckpoint(store, 1)
    expect(await driver.logPlan(planOf(0))).toMatchObject({ epoch: 1 })
    expect(await driver.commit(commitOf(0))).toMatchObject({ adopted: false, entry: { epoch: 1 } })
    expect(seen.filter(call => call.startsWith('createOnly') && call.includes('/commits/'))).toHaveLength(1)
  })

  it('is tried again where nothing became of it, with growing waits', async () => {
    const clock = new VirtualClock()
    const { store } = failing(memoryObjectStore(), { call: 'createOnly', part: '/commits/', times: 4, when: 'before' })
    const driver = await openTestCheckpoint(store, 1, { clock })
    await driver.logPlan(planOf(0))
    const before = clock.monotonicMs()
    expect(await driver.commit(commitOf(0))).toMatchObject({ adopted: false })
    expect(clock.monotonicMs() - before).toBe(50 + 100 + 200 + 400)
  })

  it('is read back before anything is concluded, also where reading fails for a while', async () => {
    const { store, seen } = failing(
      memoryObjectStore(),
      { call: 'createOnly', part: '/commits/', times: 1, when: 'after' },
      { call: 'get', part: '/commits/', times: 3, when: 'before' },
    )
    const driver = await openTestCheckpoint(store, 1)
    await driver.logPlan(planOf(0))
    expect(await driver.commit(commitOf(0))).toMatchObject({ adopted: false, entry: { epoch: 1 } })
    expect(seen.filter(call => call.includes('/commits/')).length).toBeGreaterThanOrEqual(8)
  })

  it('of another driver is not taken for our own after a lost answer', async () => {
    const shared = memoryObjectStore()
    const first = await openTestCheckpoint(shared, 1)
    await first.logPlan(planOf(0))
    const { store } = failing(shared, { call: 'createOnly', part: '/commits/', times: 1, when: 'after' })
    const second = await openTestCheckpoint(store, 2)
    await expect(first.commit(commitOf(0))).rejects.toMatchObject(FENCED)
    expect(await second.commit(commitOf(0))).toMatchObject({ adopted: true, entry: { epoch: 1 } })
  })

  it('is given up after seven attempts, and found at the next start if it was written after all', async () => {
    const shared = memoryObjectStore()
    const { store } = failing(
      shared,
      { call: 'createOnly', part: '/commits/', times: 99, when: 'after' },
      { call: 'get', part: '/commits/', times: 99, when: 'before' },
    )
    const driver = await openTestCheckpoint(store, 1)
    await driver.logPlan(planOf(0))
    await expect(driver.commit(commitOf(0))).rejects.toMatchObject({ code: 'STORE_FAILED', retriable: true })
    const next = await openTestCheckpoint(shared, 2)
    expect((await next.recover()).commit).toMatchObject({ batchId: 0, epoch: 1 })
  })

  it('that exists when it is created and is gone when it is read is told as a failure of the store', async () => {
    const store = interceptedStore(memoryObjectStore(), async (call, name, [key]) => {
      if (name === 'createOnly' && String(key).includes('/commits/')) return 'exists'
      return call()
    })
    const driver = await openTestCheckpoint(store, 1)
    await driver.logPlan(planOf(0))
    await expect(driver.commit(commitOf(0))).rejects.toMatchObject({
      code: 'STORE_FAILED',
      message: expect.stringContaining('exists when it is created and does not when it is read'),
    })
  })

  it('is not tried again where the failure is none that passes', async () => {
    const store = interceptedStore(memoryObjectStore(), async (call, name, [key]) => {
      if (name === 'createOnly' && String(key).includes('/commits/')) throw new TypeError('broken')
      return call()
    })
    const driver = await openTestCheckpoint(store, 1)
    await driver.logPlan(planOf(0))
    await expect(driver.commit(commitOf(0))).rejects.toThrow('broken')
  })
})

describe('a store that fails for a moment stops nothing', () => {
  const passing = (call: Fault['call'], part: string): Fault => ({ call, part, times: 5, when: 'before' })

  it.each([
    passing('createOnly', '/epochs/'),
    passing('createOnly', 'header.json'),
    passing('head', 'header.json'),
    passing('head', '/epochs/'),
    passing('createOnly', '/state/'),
    { ...passing('createOnly', '/state/'), when: 'after' as const },
    passing('get', '/state/'),
    passing('get', '/offsets/'),
    passing('get', '/commits/'),
    passing('head', '/commits/'),
  ])('while a checkpoint is opened, written and read: %j', async fault => {
    const shared = memoryObjectStore()
    await runBatches(await openTestCheckpoint(shared, 1), 0, 3)
    const { store } = failing(shared, fault)
    const driver = await openTestCheckpoint(store, 2)
    expect((await driver.recover()).commit).toMatchObject({ batchId: 2 })
    const bytes = Uint8Array.of(1, 2, 3)
    const state = await driver.writeState(0, batchId(3), 'changes', bytes)
    expect(await driver.readState(state)).toEqual(bytes)
    await runBatches(driver, 3, 5)
    const fresh = await openTestCheckpoint(failing(memoryObjectStore(), fault).store, 3)
    await runBatches(fresh, 0, 2)
    expect((await fresh.recover()).commit).toMatchObject({ batchId: 1 })
  })

  it('but one that keeps failing is told', async () => {
    const { store } = failing(memoryObjectStore(), { call: 'createOnly', part: '/epochs/', times: 7, when: 'before' })
    await expect(openTestCheckpoint(store, 1)).rejects.toMatchObject({ code: 'STORE_FAILED' })
  })
})
