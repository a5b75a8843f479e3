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
import { pausingStore } from '../support/faulty-store.ts'
import { rowsOf } from '../support/line-encoder.ts'
import { composeTestDriver } from '../support/run-driver.ts'

const Play = schema({ event_time: 'timestamp', content_id: 'int32', watch_duration: 'float64?', country: 'string' })
const ROWS = 60
const PARTITIONS = 2

const plan = pipeline('overlapping')
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

const visible = async (store: ObjectStore, table: string): Promise<readonly string[]> => {
  const rows: string[] = []
  for await (const { key } of store.list(`${table}/`)) {
    for (const row of rowsOf((await store.get(key)) ?? new Uint8Array())) rows.push(JSON.stringify(row))
  }
  return rows.toSorted()
}

const run = async (store: ObjectStore, seed: number): Promise<void> => {
  const { driver } = await composeTestDriver(plan, { store, seed })
  await driver.run()
}

const reference = async () => {
  const store = memoryObjectStore()
  await run(store, 1)
  return { raw: await visible(store, 'raw'), counts: await visible(store, 'counts') }
}

type Tables = Awaited<ReturnType<typeof reference>>

const expectExactly = async (store: ObjectStore, expected: Tables, what: string): Promise<void> => {
  expect(await visible(store, 'raw'), what).toEqual(expected.raw)
  expect(await visible(store, 'counts'), what).toEqual(expected.counts)
  for await (const staged of store.listStaged('')) expect.fail(`${what}: ${staged.key} was left staged`)
}

/** What a lister sees in the middle: rows of the answer, none twice. */
const expectPart = async (store: ObjectStore, expected: Tables, what: string): Promise<void> => {
  for (const table of ['raw', 'counts'] as const) {
    const seen = await visible(store, table)
    const known = new Set(expected[table])
    expect(new Set(seen).size, what).toBe(seen.length)
    for (const row of seen) expect(known.has(row), what).toBe(true)
  }
}

/** Drivers that each go on, from one call of the store to the next, only when their turn comes. */
class Stage {
  readonly outcomes: Promise<void>[] = []
  #alive = 0
  readonly #waiting: (() => void)[] = []

  start(store: ObjectStore, seed: number): void {
    this.#alive += 1
    const paused = pausingStore(store, () => new Promise(resolve => this.#waiting.push(resolve)))
    const outcome = run(paused, seed).finally(() => {
      this.#alive -= 1
    })
    outcome.catch(() => undefined)
    this.outcomes.push(outcome)
  }

  /** Resolves when every driver waits for its turn or has come to its end. @returns how many wait */
  async settle(): Promise<number> {
    for (let turns = 0; this.#waiting.length < this.#alive; turns += 1) {
      if (turns > 10_000) throw new Error('a driver neither calls the store nor ends')
      await new Promise(resolve => setImmediate(resolve))
    }
    return this.#waiting.length
  }

  /** Lets one of those that wait go on: the one that has waited longest is 0. */
  release(which: number): void {
    this.#waiting.splice(which, 1)[0]?.()
  }
}

const endOf = async (outcome: Promise<void>): Promise<string> => {
  try {
    await outcome
    return 'done'
  } catch (error) {
    return (error as { readonly code?: string }).code ?? String(error)
  }
}

describe('drivers that overlap lose and double nothing', () => {
  it('where a driver is paused at any call, its successor does all the work, and it wakes', async () => {
    const expected = await reference()
    const fates = new Set<string>()
    for (let turn = 1; ; turn += 1) {
      const store = memoryObjectStore()
      const stage = new Stage()
      stage.start(store, 1)
      let over = false
      for (let at = 0; at < turn && !over; at += 1) {
        over = (await stage.settle()) === 0
        if (!over) stage.release(0)
      }
      if (over) break
      await stage.settle()
      await run(store, 2)
      await expectPart(store, expected, `paused at ${turn}`)
      while ((await stage.settle()) > 0) stage.release(0)
      const fate = await endOf(stage.outcomes[0] as Promise<void>)
      fates.add(fate)
      await expectPart(store, expected, `awake after ${turn}`)
      await run(store, 3)
      await expectExactly(store, expected, `paused at ${turn}: ${fate}`)
    }
    // one that wakes at its very end has nothing left to be fenced from
    expect([...fates].toSorted()).toEqual(['FENCED', 'done'])
  }, 240_000)

  it('where up to four of them take turns at random', async () => {
    const expected = await reference()
    let fenced = 0
    for (let seed = 1; seed <= 60; seed += 1) {
      const random = seededRandom(seed)
      const below = (limit: number): number => Math.floor(random.next() * limit)
      const store = memoryObjectStore()
      const stage = new Stage()
      const starts = [0, below(60), below(200), below(400)].toSorted((a, b) => a - b)
      for (let step = 0; ; step += 1) {
        while (starts[0] !== undefined && starts[0] <= step) {
          starts.shift()
          stage.start(store, seed * 10 + starts.length)
        }
        const waiting = await stage.settle()
        if (waiting === 0 && starts.length === 0) break
        stage.release(below(waiting))
        if (step % 50 === 0) await expectPart(store, expected, `seed ${seed}, step ${step}`)
      }
      const fates = await Promise.all(stage.outcomes.map(endOf))
      for (const fate of fates) expect(['done', 'FENCED'], `seed ${seed}`).toContain(fate)
      fenced += fates.filter(fate => fate === 'FENCED').length
      await run(store, 99)
      await expectExactly(store, expected, `seed ${seed}`)
    }
    expect(fenced).toBeGreaterThan(60)
  }, 240_000)
})
