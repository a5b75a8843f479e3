import { expect, it } from 'vitest'
import type { DriverEvent } from '../../../src/microbatch/progress.ts'
import { availableNow, defaultTrigger } from '../../../src/microbatch/triggers.ts'
import { count } from '../../../src/pipeline/aggregates.ts'
import { json } from '../../../src/pipeline/formats.ts'
import { pipeline } from '../../../src/pipeline/pipeline.ts'
import { schema } from '../../../src/pipeline/schema.ts'
import { parquet } from '../../../src/pipeline/sinks.ts'
import { datagen } from '../../../src/pipeline/sources.ts'
import { tumbling } from '../../../src/pipeline/windows.ts'
import { memoryObjectStore } from '../../../src/storage/memory/memory-object-store.ts'
import type { ObjectStore } from '../../../src/storage/object-store.ts'
import { interceptedStore } from '../../support/faulty-store.ts'
import { composeTestDriver } from '../../support/run-driver.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const Play = schema({ event_time: 'timestamp', country: 'string' })
const PLAN = pipeline('plays')
  .from(datagen({ partitions: 1, rowsPerPartition: 100 }), json(Play))
  .window(tumbling('10s'), { eventTime: 'event_time', watermark: '0s' })
  .groupBy('country')
  .aggregate({ plays: count() })
  .to(parquet('counts', { partitionBy: [] }))

const gate = () => {
  let open: () => void = () => undefined
  const opened = new Promise<void>(resolve => (open = resolve))
  return { opened, open }
}

const filesIn = async (store: ObjectStore): Promise<number> => {
  let files = 0
  for await (const _ of store.list('counts/')) files += 1
  return files
}

it('a batch of a driver that woke beside its successor, which has nothing to do, becomes visible', async () => {
  const store = memoryObjectStore()
  const clock = new VirtualClock()
  const run = async (trigger: typeof defaultTrigger, of: ObjectStore, emit: (event: DriverEvent) => void) => {
    const { driver } = await composeTestDriver(PLAN, { store: of, seed: ++seed, clock, settings: { trigger }, emit })
    return { stop: () => driver.stop(), ended: driver.run().catch((error: unknown) => error) }
  }
  const asleep = gate()
  const awake = gate()
  // it sleeps between the look at its epoch and the plan that closes the windows at the end
  const sleepy = interceptedStore(store, async (call, name, [key]) => {
    if (name === 'createOnly' && String(key).endsWith('/offsets/000000000002.json')) {
      asleep.open()
      await awake.opened
    }
    return call()
  })
  const first = await run(availableNow({ flush: true }), sleepy, () => undefined)
  await asleep.opened
  let starts = 0
  const second = await run(defaultTrigger, store, ({ kind }) => {
    if (kind !== 'started') return
    starts += 1
    if (starts === 1) awake.open()
    else second.stop()
  })
  expect(await first.ended).toMatchObject({ code: 'FENCED' })
  expect(await second.ended).toBeUndefined()
  expect(await filesIn(store)).toBe(1)
})
let seed = 0
