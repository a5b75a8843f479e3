import { expect, it } from 'vitest'
import { MillraceError } from '../../../src/base/errors.ts'
import { defaultTrigger } from '../../../src/microbatch/triggers.ts'
import { json } from '../../../src/pipeline/formats.ts'
import { pipeline } from '../../../src/pipeline/pipeline.ts'
import { schema } from '../../../src/pipeline/schema.ts'
import { parquet } from '../../../src/pipeline/sinks.ts'
import { datagen } from '../../../src/pipeline/sources.ts'
import { memoryObjectStore } from '../../../src/storage/memory/memory-object-store.ts'
import type { ObjectStore } from '../../../src/storage/object-store.ts'
import { Crash, crashingStore, interceptedStore } from '../../support/faulty-store.ts'
import { composeTestDriver } from '../../support/run-driver.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const Play = schema({ event_id: 'string', content_id: 'int32' })
const writing = (...tables: readonly string[]) =>
  pipeline('plays')
    .from(datagen({ rowsPerSecond: 1000, partitions: 2 }), json(Play))
    .to(...tables.map(table => parquet(table, { partitionBy: [] })))
const BOTH = writing('kept', 'gone')
const ONE = writing('kept')

/** Runs of one test see one time: rows come as it passes. */
const runner = () => {
  const clock = new VirtualClock()
  return async (plan: typeof BOTH, store: ObjectStore, maxBatches: number): Promise<void> => {
    const settings = { maxBatches, trigger: defaultTrigger }
    const { driver } = await composeTestDriver(plan, { store, seed: ++seed, clock, settings })
    await driver.run()
  }
}
let seed = 0

const batchesOf = async (store: ObjectStore, table: string): Promise<readonly number[]> => {
  const batches = new Set<number>()
  for await (const { key } of store.list(`${table}/`)) batches.add(Number(/part-(\d+)-/.exec(key)?.[1]))
  return [...batches]
}

it('a sink that is removed after a clean end does not hold the others up', async () => {
  const run = runner()
  const store = memoryObjectStore()
  await run(BOTH, store, 2)
  await run(ONE, store, 2)
  // no row is there yet when batch 0 is planned
  expect(await batchesOf(store, 'kept')).toEqual([1, 2, 3])
  expect(await batchesOf(store, 'gone')).toEqual([1])
})

it('a sink whose last batch may not be visible is asked for until it is, whatever call the driver died at', async () => {
  let refused = 0
  for (let call = 1; ; call += 1) {
    const run = runner()
    const store = memoryObjectStore()
    await run(BOTH, store, 1)
    const crashing = crashingStore(store, { call, when: 'after' })
    const ended = await run(BOTH, crashing.store, 1).catch((error: unknown) => error)
    if (ended === undefined) break
    expect(ended).toBeInstanceOf(Crash)
    const outcome = await run(ONE, store, 1).catch((error: unknown) => error)
    if (outcome === undefined) {
      // a batch that was planned with the removed sink runs without it; one that was committed is in both tables
      const [kept, gone] = [await batchesOf(store, 'kept'), await batchesOf(store, 'gone')]
      expect(kept.slice(0, gone.length)).toEqual(gone)
      continue
    }
    refused += 1
    expect(outcome).toMatchObject({ code: 'PLAN_CHANGED', message: expect.stringContaining('/gone') as string })
    // what the remedy says
    await run(BOTH, store, 1)
    await run(ONE, store, 1)
    expect((await batchesOf(store, 'gone')).length).toBeGreaterThan(1)
  }
  expect(refused).toBeGreaterThan(0)
})

it('a driver whose store takes no note at the end has ended well all the same, and says so', async () => {
  const store = memoryObjectStore()
  const told: unknown[] = []
  const full = interceptedStore(store, async (call, name, [key]) => {
    if (name === 'createOnly' && String(key).includes('/published/')) {
      throw new MillraceError('STORE_FAILED', 'no room', { remedy: 'make room' })
    }
    return call()
  })
  const { driver } = await composeTestDriver(BOTH, {
    store: full,
    seed: 1,
    settings: { maxBatches: 1, trigger: defaultTrigger },
    emit: event => event.kind === 'warning' && told.push(event.code),
  })
  await driver.run()
  expect(told).toEqual(['STORE_FAILED'])
})
