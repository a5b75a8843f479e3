import { beforeAll, describe, expect, it } from 'vitest'
import { typescriptKernels } from '../../../src/columnar/typescript/index.ts'
import { parquetEncoder } from '../../../src/sinks/parquet/index.ts'
import type { TableEncoderFactory } from '../../../src/sinks/sink.ts'
import { memoryObjectStore } from '../../../src/storage/memory/memory-object-store.ts'
import type { ObjectStore } from '../../../src/storage/object-store.ts'
import { Crash, crashingStore, unreliableStore } from '../../support/faulty-store.ts'
import { listSource } from './fixtures/list-source.ts'
import { readTable } from './fixtures/read-table.ts'
import { runTestBackfill } from './fixtures/run-backfill.ts'
import { followed, RANGE, smallPipeline, someRecords } from './fixtures/small-job.ts'
import { streamAll } from './fixtures/stream-all.ts'

let encoder: TableEncoderFactory
beforeAll(async () => {
  encoder = parquetEncoder(typescriptKernels)
})

const records = someRecords(6)
const job = (store: ObjectStore, runId: string, reprocess: 'none' | 'completed' = 'none') =>
  runTestBackfill(smallPipeline, {
    store,
    encoder,
    records,
    source: 'landed',
    range: RANGE,
    reprocess,
    runId,
    isGone: () => true,
  })

const landed = async (): Promise<ObjectStore> => {
  const store = memoryObjectStore()
  await streamAll(smallPipeline, listSource('events', records), store, encoder)
  return store
}

describe('an hour is seen whole', () => {
  it('at every call where a first run may die; a second run finishes what it left', async () => {
    const whole = await landed()
    await job(whole, 'calm')
    const expected = await followed(whole)
    expect(expected.ids.flat().length).toBeGreaterThan(0)
    let crashes = 0
    for (let call = 1; ; call += 1) {
      for (const when of ['before', 'after'] as const) {
        const store = await landed()
        const faulty = crashingStore(store, { call, when })
        const outcome = await job(faulty.store, 'doomed').catch((error: unknown) => error)
        if (!faulty.state.dead) {
          expect(crashes).toBeGreaterThan(20)
          return
        }
        expect(outcome).toBeInstanceOf(Crash)
        crashes += 1
        const left = await followed(store)
        // what is there is an hour as it should be, or no hour at all, and both tables agree
        expect(left.ids).toEqual(expected.ids.slice(0, left.ids.length))
        expect(left.totals).toEqual(expected.totals.slice(0, left.ids.length))
        await job(store, 'second')
        const after = await followed(store)
        expect({ ids: after.ids, totals: after.totals }).toEqual({ ids: expected.ids, totals: expected.totals })
        expect(await readTable(store, 'batch/ids/')).toEqual(expected.ids.flat().toSorted())
      }
    }
  }, 120_000)

  it('one generation at a time while it is computed again from more rows', async () => {
    const store = await landed()
    await job(store, 'first')
    const before = await followed(store)
    const more = someRecords(9)
    const other = memoryObjectStore()
    await streamAll(smallPipeline, listSource('events', more), other, encoder)
    for await (const { key } of store.list('raw/')) await store.remove(key)
    for await (const { key } of other.list('raw/'))
      await store.createOnly(key, (await other.get(key)) ?? new Uint8Array())
    const seen: unknown[] = []
    const watched = crashingStore(store, null)
    const again = await runTestBackfill(smallPipeline, {
      store: watched.store,
      encoder,
      records: more,
      source: 'landed',
      range: RANGE,
      reprocess: 'completed',
      runId: 'again',
      onStore: async () => void seen.push(await followed(store)),
      isGone: () => true,
    })
    expect(again.summary).toEqual({ done: 2, failed: 0, skipped: 0 })
    const after = await followed(store)
    expect(after.generations).toEqual([2, 2])
    const hourOf = (state: typeof before, at: number) => ({ ids: state.ids[at], totals: state.totals[at] })
    for (const state of seen as (typeof before)[]) {
      for (const at of [0, 1]) expect([hourOf(before, at), hourOf(after, at)]).toContainEqual(hourOf(state, at))
    }
    expect(seen.length).toBeGreaterThan(10)
  })

  it('through a store that fails and loses answers', async () => {
    const store = await landed()
    const calm = await landed()
    await job(calm, 'calm')
    let call = 0
    const shaky = unreliableStore(store, () => {
      call += 1
      return call % 5 === 1 ? 'after' : call % 7 === 1 ? 'before' : 'no'
    })
    const { summary } = await job(shaky, 'shaky')
    expect(summary).toEqual({ done: 2, failed: 0, skipped: 0 })
    expect(await followed(store)).toEqual(await followed(calm))
  })
})
