import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import { count, max, sum } from '../../src/pipeline/aggregates.ts'
import { json } from '../../src/pipeline/formats.ts'
import { pipeline } from '../../src/pipeline/pipeline.ts'
import { schema } from '../../src/pipeline/schema.ts'
import { parquet } from '../../src/pipeline/sinks.ts'
import { datagen } from '../../src/pipeline/sources.ts'
import { tumbling } from '../../src/pipeline/windows.ts'
import { memoryObjectStore } from '../../src/storage/memory/memory-object-store.ts'
import type { ObjectStore } from '../../src/storage/object-store.ts'
import { Crash, type CrashPoint, crashingStore, unreliableStore } from '../support/faulty-store.ts'
import { rowsOf } from '../support/line-encoder.ts'
import { composeTestDriver } from '../support/run-driver.ts'

const Play = schema({ event_time: 'timestamp', content_id: 'int32', watch_duration: 'float64?', country: 'string' })
const ROWS = 120
const PARTITIONS = 3

const plan = pipeline('crashing')
  .from(
    datagen({ partitions: PARTITIONS, rowsPerPartition: ROWS, rowsPerSecond: 3000, speed: 500, seed: 7 }),
    json(Play),
  )
  .branches({
    raw: rows => rows.land().to(parquet('raw', { partitionBy: [] })),
    counts: rows =>
      rows
        .window(tumbling('10s'), { eventTime: 'event_time', watermark: '5s' })
        .groupBy('country')
        .aggregate({ plays: count(), watched: sum('watch_duration'), last: max('event_time') })
        .to(parquet('counts', { partitionBy: [] })),
  })

const visible = async (store: ObjectStore, table: string) => {
  const rows: Record<string, unknown>[] = []
  for await (const { key } of store.list(`${table}/`)) rows.push(...rowsOf((await store.get(key)) as Uint8Array))
  return rows
}

const coordinates = (rows: readonly Record<string, unknown>[]) =>
  rows.map(row => `${String(row['partition'])}/${String(row['offset']).padStart(6, '0')}`).toSorted()

const windows = (rows: readonly Record<string, unknown>[]) => rows.map(row => JSON.stringify(row)).toSorted()

const run = async (store: ObjectStore, seed: number) => {
  const { driver } = await composeTestDriver(plan, { store, seed })
  await driver.run()
}

const reference = async () => {
  const store = memoryObjectStore()
  await run(store, 1)
  return { raw: coordinates(await visible(store, 'raw')), counts: windows(await visible(store, 'counts')) }
}

describe('exactly once', () => {
  it('without a crash: every offset once, every window once', async () => {
    const { raw, counts } = await reference()
    expect(raw).toHaveLength(ROWS * PARTITIONS)
    expect(new Set(raw).size).toBe(raw.length)
    expect(counts.length).toBeGreaterThan(50)
    const plays = counts.reduce((total, row) => total + (JSON.parse(row) as { plays: number }).plays, 0)
    expect(plays).toBe(ROWS * PARTITIONS)
  })

  it('with a crash before or after any call of the store, however the restart crashes again', async () => {
    const expected = await reference()
    const probe = crashingStore(memoryObjectStore(), null)
    await run(probe.store, 1)
    for (let call = 1; call <= probe.state.calls; call += 1) {
      for (const when of ['before', 'after'] as const) {
        const store = memoryObjectStore()
        await crashingRun(store, { call, when })
        // the successor dies as well, a few calls into its recovery
        await crashingRun(store, { call: 1 + (call % 13), when })
        expectPart(coordinates(await visible(store, 'raw')), expected.raw)
        await run(store, 3)
        expect(coordinates(await visible(store, 'raw')), `crash ${when} call ${call}`).toEqual(expected.raw)
        expect(windows(await visible(store, 'counts')), `crash ${when} call ${call}`).toEqual(expected.counts)
      }
    }
  }, 120_000)

  it('with a store that fails or loses answers in a fifth of its creates and reads', async () => {
    const expected = await reference()
    for (let seed = 1; seed <= 40; seed += 1) {
      const random = seededRandom(seed)
      const store = memoryObjectStore()
      for (let attempt = 0; attempt < 200; attempt += 1) {
        const fails = () => (random.next() < 0.05 ? (random.next() < 0.5 ? 'before' : 'after') : 'no')
        try {
          await run(unreliableStore(store, fails), seed * 1000 + attempt)
          break
        } catch (error) {
          expect(error).toMatchObject({ retriable: true })
        }
      }
      expect(coordinates(await visible(store, 'raw')), `seed ${seed}`).toEqual(expected.raw)
      expect(windows(await visible(store, 'counts')), `seed ${seed}`).toEqual(expected.counts)
    }
  }, 120_000)
})

const crashingRun = async (store: ObjectStore, point: CrashPoint) => {
  try {
    await run(crashingStore(store, point).store, 2 + point.call)
  } catch (error) {
    expect(error).toBeInstanceOf(Crash)
  }
}

/** What a lister sees in the middle: rows of the answer, none twice. */
const expectPart = (seen: readonly string[], all: readonly string[]) => {
  expect(new Set(seen).size).toBe(seen.length)
  const known = new Set(all)
  for (const row of seen) expect(known.has(row)).toBe(true)
}
