import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { present } from '../../../src/base/assert.ts'
import { BEFORE_ALL_TIME, type EpochMs, epochMs } from '../../../src/base/units.ts'
import type { StateManifest, StateObject } from '../../../src/checkpoint/entries.ts'
import { typescriptKernels } from '../../../src/columnar/typescript/index.ts'
import { taskInput, taskSpec } from '../../../src/executor/aggregation.ts'
import type { AggregationState } from '../../../src/executor/aggregation-state.ts'
import { emptyLedger } from '../../../src/executor/batch-ledger.ts'
import type { DriverParts } from '../../../src/microbatch/driver-parts.ts'
import type { DriverState } from '../../../src/microbatch/driver-state.ts'
import { recover } from '../../../src/microbatch/recover.ts'
import { count, max, sum } from '../../../src/pipeline/aggregates.ts'
import { json } from '../../../src/pipeline/formats.ts'
import { pipeline } from '../../../src/pipeline/pipeline.ts'
import { schema } from '../../../src/pipeline/schema.ts'
import { foreachBatch, parquet } from '../../../src/pipeline/sinks.ts'
import { datagen } from '../../../src/pipeline/sources.ts'
import { tumbling } from '../../../src/pipeline/windows.ts'
import { nextLogWrite } from '../../../src/storage/log-merging.ts'
import { memoryObjectStore } from '../../../src/storage/memory/memory-object-store.ts'
import type { ObjectStore } from '../../../src/storage/object-store.ts'
import { openTestCheckpoint, planOf } from '../../support/checkpoints.ts'
import { interceptedStore } from '../../support/faulty-store.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { batchOf } from '../columnar/fixtures/batches.ts'

const WINDOWED = 0
const TOTALS = 1
const plan = pipeline('plays')
  .from(datagen({ partitions: 1 }), json(schema({ time: 'timestamp', key: 'string', value: 'float64' })))
  .branches({
    windowed: rows =>
      rows
        .window(tumbling('10s'), { eventTime: 'time', watermark: '0s' })
        .groupBy('key')
        .aggregate({ rows: count(), sum: sum('value'), last: max('value') })
        .to(parquet('windowed', { partitionBy: [] })),
    totals: rows =>
      rows
        .groupBy('key')
        .aggregate({ rows: count(), sum: sum('value') })
        .outputMode('update')
        .to(foreachBatch(() => undefined)),
  })

/** A row: its time in seconds, its key and its value. */
type Play = readonly [number, number, number]

/** What a task would hand in for these rows. */
const partialsOf = (branch: number, plays: readonly Play[]) => {
  const aggregation = present(plan.branches[branch]?.aggregation, 'aggregation')
  const table = typescriptKernels.groupTable(taskInput(aggregation), taskSpec(aggregation))
  const rows = plays.map(([second, key, value]) => {
    const window = Math.floor(second / 10) * 10_000
    return branch === WINDOWED ? [window, `key ${key}`, value] : [`key ${key}`, value]
  })
  table.add(batchOf(taskInput(aggregation).fields, rows))
  return table.all()
}

const open = async (store: ObjectStore, seed: number): Promise<{ parts: DriverParts; state: DriverState }> => {
  const clock = new VirtualClock()
  const parts = {
    plan,
    checkpoint: await openTestCheckpoint(store, seed, { clock }),
    source: { startingOffsets: async () => [] },
    sinks: [],
    kernels: typescriptKernels,
    rate: { snapshot: () => null },
    clock,
  } as unknown as DriverParts
  return { parts, state: (await recover(parts)).state }
}

/** One batch: folds rows in, closes windows up to a second, and commits. */
const runBatch = async (parts: DriverParts, state: DriverState, plays: readonly Play[], second: number) => {
  const watermark = Number.isFinite(second) ? epochMs(second * 1000) : BEFORE_ALL_TIME
  for (const branch of [WINDOWED, TOTALS]) {
    if (plays.length > 0) present(state.aggregations[branch], 'state').fold(partialsOf(branch, plays))
  }
  present(state.aggregations[WINDOWED], 'state').close(watermark)
  const watermarks: readonly EpochMs[] = [watermark, BEFORE_ALL_TIME]
  const logged = await parts.checkpoint.logPlan({ ...planOf(state.nextBatchId), watermarks })
  const computed = {
    outputs: [],
    ledger: emptyLedger,
    bytesRead: 0,
    outputBytes: 0,
    maxEventTimes: new Map(),
    rowsAhead: [],
    onlyAhead: [],
    watermarks,
  }
  return (await state.commit(parts, logged, computed, [])).state
}

const snapshots = (states: readonly (AggregationState | null)[]) =>
  states.map(each => Buffer.from(present(each, 'state').snapshot()).toString('hex'))

/** A store that counts what goes into state objects. */
const meteredStore = () => {
  const written = { bytes: 0, objects: 0, read: 0 }
  const store = interceptedStore(memoryObjectStore(), async (call, name, [key, bytes]) => {
    if (name === 'createOnly' && String(key).includes('/state/')) {
      written.bytes += (bytes as Uint8Array).length
      written.objects += 1
    }
    if (name === 'get' && String(key).includes('/state/')) written.read += 1
    return call()
  })
  return { store, written }
}

const manifestSizes = (state: DriverState, branch: number): number => {
  const manifest = present(state.manifests[branch], 'manifest')
  return manifest.changes.length + (manifest.snapshot === null ? 0 : 1)
}

describe('a commit costs what changed', () => {
  it('not what there is: 300 batches that touch 20 of 30,000 keys write little more than their changes', async () => {
    const { store, written } = meteredStore()
    const { parts, state: first } = await open(store, 1)
    const everyKey = Array.from({ length: 30_000 }, (_, key): Play => [0, key, 1])
    let state = await runBatch(parts, first, everyKey, -Infinity)
    const initial = written.bytes
    let changes = 0
    let longest = 0
    for (let batch = 0; batch < 300; batch += 1) {
      const plays = Array.from({ length: 20 }, (_, at): Play => [0, (batch * 7 + at * 1000) % 30_000, 0.1 * at])
      for (const branch of [WINDOWED, TOTALS]) changes += bytesOf(partialsOf(branch, plays))
      state = await runBatch(parts, state, plays, -Infinity)
      longest = Math.max(longest, manifestSizes(state, WINDOWED), manifestSizes(state, TOTALS))
    }
    // a snapshot at every fiftieth batch, as it once was, would be twelve times the initial state
    expect(written.bytes - initial).toBeLessThan(initial)
    expect(written.bytes - initial).toBeLessThan(4 * changes)
    expect(longest).toBeLessThan(30)
    const { state: restored } = await open(store, 2)
    expect(snapshots(restored.aggregations)).toEqual(snapshots(state.aggregations))
  })

  it('nothing where nothing changed', async () => {
    const { store, written } = meteredStore()
    const { parts, state: first } = await open(store, 1)
    let state = await runBatch(parts, first, [[0, 1, 1]], -Infinity)
    const { objects } = written
    for (let batch = 0; batch < 10; batch += 1) state = await runBatch(parts, state, [], -Infinity)
    expect(written.objects).toBe(objects)
  })

  it('and state that has become small is not dragged along: windows that closed leave the log', async () => {
    const { store, written } = meteredStore()
    const { parts, state: first } = await open(store, 1)
    let state = first
    for (let batch = 0; batch < 60; batch += 1) {
      const plays = Array.from({ length: 500 }, (_, key): Play => [batch * 10, key, 1])
      state = await runBatch(parts, state, plays, batch * 10)
    }
    const manifest = present(state.manifests[WINDOWED], 'manifest')
    const objects = manifest.snapshot === null ? manifest.changes : [manifest.snapshot, ...manifest.changes]
    const kept = objects.reduce((bytes, object) => bytes + object.size, 0)
    expect(kept).toBeLessThan(written.bytes / 10)
    const { state: restored } = await open(store, 2)
    expect(present(restored.aggregations[WINDOWED], 'state').openWindows).toBe(1)
    expect(snapshots(restored.aggregations)).toEqual(snapshots(state.aggregations))
  })
})

describe('state after a restart', () => {
  it('is to the last bit what it was, whatever came in, closed, was merged and restarted before', async () => {
    const play = fc.tuple(fc.nat(40), fc.nat(12), fc.double({ min: -1e9, max: 1e9, noNaN: true }))
    const step = fc.record({
      plays: fc.array(play, { maxLength: 30 }),
      advance: fc.nat(4),
      restart: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60 }), async steps => {
        const store = memoryObjectStore()
        let { parts, state } = await open(store, 1)
        let second = 0
        let seed = 1
        for (const { plays, advance, restart } of steps) {
          second += advance
          const timely = plays.map(([late, key, value]): Play => [second + late, key, value])
          state = await runBatch(parts, state, timely, second)
          if (!restart) continue
          const before = snapshots(state.aggregations)
          seed += 1
          ;({ parts, state } = await open(store, seed))
          expect(snapshots(state.aggregations)).toEqual(before)
        }
        const { state: last } = await open(store, seed + 1)
        expect(snapshots(last.aggregations)).toEqual(snapshots(state.aggregations))
      }),
      { numRuns: 40 },
    )
  })
})

describe('the state log', () => {
  const object = (size: number): StateObject => ({ key: 'key', size, crc32c: '00000000' })
  /** Appends changes of these sizes as the rule says, without content. */
  const append = (sizes: readonly number[], stateBytes: number) => {
    let manifest: StateManifest = { snapshot: null, changes: [] }
    let written = 0
    let longest = 0
    let snapshotBytes = 0
    for (const size of sizes) {
      const write = nextLogWrite(manifest?.changes ?? [], size, stateBytes)
      if (write.kind === 'snapshot') {
        manifest = { snapshot: object(stateBytes), changes: [] }
        snapshotBytes += stateBytes
      } else {
        const kept = manifest.changes.slice(0, manifest.changes.length - write.merged)
        const merged = manifest.changes.slice(kept.length).reduce((bytes, each) => bytes + each.size, size)
        manifest = { snapshot: manifest.snapshot, changes: [...kept, object(merged)] }
        written += merged
      }
      longest = Math.max(longest, manifest.changes.length)
    }
    return { written, longest, snapshotBytes }
  }

  it('writes snapshots of at most the bytes of the changes, and each change again a few times', () => {
    const sizes = fc.oneof(
      fc.array(fc.integer({ min: 20, max: 2_000_000 }), { minLength: 1, maxLength: 400 }),
      fc.tuple(fc.integer({ min: 20, max: 5000 }), fc.integer({ min: 1, max: 3000 })).map(([size, batches]) => {
        return Array.from({ length: batches }, () => size)
      }),
    )
    fc.assert(
      fc.property(sizes, fc.integer({ min: 0, max: 500_000_000 }), (changes, stateBytes) => {
        const total = changes.reduce((bytes, size) => bytes + size, 0)
        const { written, longest, snapshotBytes } = append(changes, stateBytes)
        expect(snapshotBytes).toBeLessThanOrEqual(total)
        // within the least tier, and once for each power of eight above it
        const tiers = 1 + Math.max(0, Math.ceil(Math.log(total / 8192) / Math.log(8)))
        expect(written).toBeLessThanOrEqual((1 + tiers) * total + changes.length * 8192)
        expect(longest).toBeLessThanOrEqual(8 * (1 + tiers))
      }),
    )
  })

  it('keeps to some dozens of objects over 100,000 small changes of a large state', () => {
    const { longest, written, snapshotBytes } = append(
      Array.from({ length: 100_000 }, () => 1000),
      1e9,
    )
    expect(snapshotBytes).toBe(0)
    expect(longest).toBeLessThan(50)
    expect(written).toBeLessThan(100_000 * 1000 * 8)
  })
})

const bytesOf = (batch: ReturnType<typeof partialsOf>): number => {
  const sizes = batch.columns.map(column => ('bytes' in column ? column.bytes.length : 0) + 8 * batch.length)
  return sizes.reduce((total, size) => total + size, 0)
}
