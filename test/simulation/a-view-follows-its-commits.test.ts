import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MillraceError } from '../../src/base/errors.ts'
import type { JsonValue } from '../../src/base/json.ts'
import { seededRandom } from '../../src/base/random.ts'
import { batchId, driverEpoch, durationMs } from '../../src/base/units.ts'
import type { RedisViewSinkNode } from '../../src/pipeline/plan.ts'
import { MemoryViews } from '../../src/sim/memory-views.ts'
import type { Sink } from '../../src/sinks/sink.ts'
import { viewSink } from '../../src/sinks/view/view-sink.ts'
import type { ViewStore } from '../../src/sinks/view/view-store.ts'
import { memoryObjectStore } from '../../src/storage/memory/memory-object-store.ts'
import { TurnClock } from '../support/turn-clock.ts'
import { batchOf, schemaOf } from '../unit/sinks/fixtures/batches.ts'

const NODE: RedisViewSinkNode = {
  kind: 'redisView',
  name: 'plays',
  key: ['id'],
  format: 'json',
  ttlMs: null,
  top: { by: 'n', n: 3 },
  table: null,
}
const SCHEMA = schemaOf({ id: 'int32', n: 'int64' })

/** What may happen between two batches, or to a call. */
type Step =
  | { readonly kind: 'batch'; readonly ids: readonly number[] }
  | { readonly kind: 'uncommitted'; readonly ids: readonly number[] }
  | { readonly kind: 'crash' | 'flush' | 'remember' | 'rollBack' | 'zombie' | 'reset' | 'clearUp' }
  | { readonly kind: 'fail'; readonly calls: number; readonly when: 'before' | 'after' }

const ids = fc.uniqueArray(fc.integer({ min: 0, max: 2000 }), { maxLength: 5 })
const manyIds = fc.integer({ min: 0, max: 900 }).map(from => Array.from({ length: 1100 }, (_, at) => from + at))
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: ids.map((some): Step => ({ kind: 'batch', ids: some })) },
  { weight: 1, arbitrary: manyIds.map((many): Step => ({ kind: 'batch', ids: many })) },
  { weight: 1, arbitrary: ids.map((some): Step => ({ kind: 'uncommitted', ids: some })) },
  ...(['crash', 'flush', 'remember', 'rollBack', 'zombie', 'reset', 'clearUp'] as const)
    .map(kind => ({
      weight: kind === 'reset' ? 0.3 : 1,
      arbitrary: fc.constant<Step>({ kind }),
    }))
    .map(({ weight, arbitrary }) => ({ weight: Math.ceil(weight), arbitrary })),
  {
    weight: 3,
    arbitrary: fc.record<Step & { kind: 'fail' }>({
      kind: fc.constant('fail'),
      calls: fc.integer({ min: 1, max: 12 }),
      when: fc.constantFrom('before', 'after'),
    }),
  },
)

/** A pipeline with one view, its commits, and what the view must come to. */
class World {
  readonly views = new MemoryViews()
  readonly model = new Map<string, number>()
  readonly store = memoryObjectStore()
  readonly clock = new TurnClock()
  readonly warnings: string[] = []
  readonly #random: ReturnType<typeof seededRandom>
  #failing: { calls: number; when: 'before' | 'after' } = { calls: 0, when: 'before' }
  #epoch = 0
  #batch = -1
  #receipt: JsonValue = null
  #sink: Sink
  #dead: { readonly sink: Sink; readonly receipt: JsonValue }[] = []
  #rollBack: () => void = () => this.views.flush()

  constructor(seed: number) {
    this.#random = seededRandom(seed)
    this.#sink = this.#start()
  }

  get batch(): number {
    return this.#batch
  }

  async take(what: Step): Promise<void> {
    switch (what.kind) {
      case 'batch':
        return this.#run(what.ids)
      case 'uncommitted': {
        const prepared = await this.#prepare(what.ids, -1_000_000)
        return this.#sink.discard(prepared)
      }
      case 'fail':
        this.#failing = { calls: what.calls, when: what.when }
        return
      case 'crash':
        this.#dead.push({ sink: this.#sink, receipt: this.#receipt })
        this.#sink = this.#start()
        if (this.#receipt !== null) await this.#sink.publish(this.#receipt)
        return
      case 'flush':
        return this.views.flush()
      case 'remember':
        this.#rollBack = this.views.remember()
        return
      case 'rollBack':
        return this.#rollBack()
      case 'zombie': {
        const zombie = this.#dead.at(-1)
        if (zombie !== undefined && zombie.receipt !== null) await zombie.sink.publish(zombie.receipt)
        return
      }
      case 'reset':
        // a new checkpoint: batches count from 0 again, the view begins anew, the epoch goes on
        this.#receipt = null
        this.#batch = -1
        this.model.clear()
        this.#dead = []
        this.#sink = this.#start()
        return
      case 'clearUp':
        if (this.#batch >= 0) await this.#sink.clearUp(batchId(this.#batch))
    }
  }

  /** What a reader of the view sees, against what the commits say. */
  contents() {
    const { batch, rows, top } = this.views.contents(NODE.name)
    const n = (text: string): number => (JSON.parse(text) as { readonly n: number }).n
    return { batch, rows: new Map([...rows].map(([key, text]) => [key, n(text)])), top }
  }

  async settle(): Promise<void> {
    this.#failing = { calls: 0, when: 'before' }
    // a publisher that is behind waits for some seconds at most
    await this.clock.sleep(durationMs(6000))
  }

  async close(): Promise<void> {
    for (const { sink } of [...this.#dead, { sink: this.#sink }]) await sink.close?.()
  }

  async #run(changed: readonly number[]): Promise<void> {
    const receipt = await this.#prepare(changed, this.#batch + 1)
    this.#batch += 1
    this.#receipt = receipt
    for (const id of changed) this.model.set(String(id), this.#batch)
    await this.#sink.publish(receipt)
  }

  #prepare(changed: readonly number[], n: number): Promise<JsonValue> {
    const rows = [
      batchOf(
        SCHEMA,
        changed.map(id => [id, BigInt(n)]),
      ),
    ]
    const epoch = driverEpoch(this.#epoch)
    return this.#sink.prepare({ batchId: batchId(this.#batch + 1), epoch, files: [], rows, watermark: null })
  }

  #start(): Sink {
    this.#epoch += 1
    const { clock, store } = this
    const sink = viewSink({
      node: NODE,
      pipeline: 'plays',
      store,
      views: this.#faulty(),
      clock,
      random: this.#random,
      timeoutMs: durationMs(250),
      warn: (code, message) => this.warnings.push(`${code} ${message}`),
    })
    const epoch = driverEpoch(this.#epoch)
    const requireOwnership = async () => {
      if (epoch < this.#epoch) throw new MillraceError('FENCED', 'another driver runs', { remedy: 'none' })
    }
    sink.resume?.(this.#receipt, { epoch, requireOwnership })
    return sink
  }

  #faulty(): ViewStore {
    return {
      location: 'memory',
      apply: async (view, way) => {
        const fails = this.#failing.calls > 0 ? this.#failing.when : 'no'
        this.#failing.calls -= 1
        if (fails === 'before') throw away()
        const answer = await this.views.apply(view, way)
        if (fails === 'after') throw away()
        return answer
      },
    }
  }
}

const away = () => new MillraceError('REDIS_UNAVAILABLE', 'no answer', { remedy: 'none' })

describe('a view', () => {
  it('shows nothing but committed rows, and all of them one batch after whatever happened', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.integer(), async (steps, seed) => {
        const world = new World(seed)
        for (const each of steps) {
          await world.take(each)
          for (const [key, n] of world.contents().rows) {
            expect(n, `${key} shows a batch that is not committed`).toBeGreaterThanOrEqual(0)
          }
        }
        await world.settle()
        await world.take({ kind: 'batch', ids: [1] })
        const { batch, rows, top } = world.contents()
        expect(batch).toBe(world.batch)
        expect(rows).toEqual(world.model)
        const best = [...world.model.values()].toSorted((a, b) => b - a).slice(0, 3)
        expect(top.map(key => world.model.get(key))).toEqual(best)
        await world.close()
      }),
      { numRuns: 300 },
    )
  })
})
