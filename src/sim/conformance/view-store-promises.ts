import { batchId, driverEpoch, epochMs } from '../../base/units.ts'
import type { ColumnBatch } from '../../columnar/column-batch.ts'
import { columnBuilder } from '../../columnar/column-builder.ts'
import { VIEW_ROWS } from '../../sinks/view/view-rows.ts'
import type { ViewAnswer, ViewIdentity, ViewStep, ViewStore } from '../../sinks/view/view-store.ts'
import type { ViewContents } from '../memory-views.ts'
import { type Case, type ConformancePromise, equal, matches, promisesOf } from './promise.ts'

/** A store under test, and how a reader sees what it holds. */
export interface ViewStoreUnderTest {
  readonly store: ViewStore
  readonly contents: (name: string) => Promise<ViewContents>
}

type TestRow = readonly [key: string, text: string, score?: number | null, expiresAt?: number | null]

/** Rows as a step takes them. */
export const viewRowsOf = (rows: readonly TestRow[]): ColumnBatch => {
  const builders = VIEW_ROWS.fields.map(field => columnBuilder(field))
  for (const [key, text, score = null, expiresAt = null] of rows) {
    for (const [at, value] of [key, text, score, expiresAt].entries()) builders[at]?.append(value)
  }
  const columns = builders.map(builder => builder.finish())
  return { schema: VIEW_ROWS, columns, length: rows.length, selection: null, origin: null }
}

const NOW = Date.UTC(2030, 0, 15, 10)
let names = 0

/** A view of its own in a store, and ways to write to it. */
const begin = (tested: ViewStoreUnderTest) => {
  names += 1
  const view: ViewIdentity = {
    name: `view-${names}`,
    pipeline: 'plays',
    owner: 'owner',
    format: 'json',
    key: ['content_id'],
    top: 2,
  }
  const apply = (batch: number, rows: readonly TestRow[], step: Partial<ViewStep> = {}): Promise<ViewAnswer> =>
    tested.store.apply(view, {
      phase: 'whole',
      kind: 'delta',
      after: batch === 0 ? null : batchId(batch - 1),
      batch: batchId(batch),
      log: 'log',
      epoch: driverEpoch(1),
      overruled: null,
      token: 'token',
      at: 0,
      now: epochMs(NOW),
      committedAt: epochMs(NOW),
      watermark: null,
      rows: viewRowsOf(rows),
      ...step,
    })
  const rebuild = (batch: number, rows: readonly TestRow[], step: Partial<ViewStep> = {}) =>
    apply(batch, rows, { kind: 'rebuild', after: null, ...step })
  const whole = async (batch: number, rows: readonly TestRow[], step: Partial<ViewStep> = {}) => {
    equal(await rebuild(batch, [], { phase: 'begin', ...step }), { kind: 'applied' })
    equal(await rebuild(batch, rows, { phase: 'rows', at: 1, ...step }), { kind: 'applied' })
    equal(await rebuild(batch, [], { phase: 'sweep', at: 1, ...step }), { kind: 'left', rows: 0 })
    equal(await rebuild(batch, [], { phase: 'finish', at: 2, ...step }), { kind: 'applied' })
  }
  const seen = async () => {
    const { batch, rows, top } = await tested.contents(view.name)
    return { batch, rows: Object.fromEntries(rows), top }
  }
  return { apply, rebuild, whole, seen, tested, view }
}

type OpenedView = ReturnType<typeof begin>

const VIEW_PROMISES: readonly Case<OpenedView>[] = [
  [
    'is at no batch before it was built',
    async ({ apply, seen }) => {
      equal(await apply(5, [['a', '{"n":1}']]), { kind: 'behind', batch: null })
      equal(await seen(), { batch: null, rows: {}, top: [] })
    },
  ],

  [
    'holds the last row of each key, and of the ranked rows the greatest',
    async ({ apply, whole, seen }) => {
      await whole(0, [
        ['a', '{"n":1}', 1],
        ['b', '{"n":2}', 2],
        ['c', '{"n":null}', null],
      ])
      matches(await seen(), { batch: 0, top: ['b', 'a'] })
      equal(await apply(1, [['a', '{"n":9}', 9]]), { kind: 'applied' })
      equal(await apply(2, [['b', '{"n":0}', 0]]), { kind: 'applied' })
      equal(await seen(), { batch: 2, rows: { a: '{"n":9}', b: '{"n":0}', c: '{"n":null}' }, top: ['a', 'b'] })
    },
  ],

  [
    'applies a batch at most once, and none below the one that it is at',
    async ({ apply, whole, seen }) => {
      await whole(3, [['a', '{"n":1}', 1]])
      equal(await apply(4, [['a', '{"n":2}', 2]]), { kind: 'applied' })
      equal(await apply(4, [['a', '{"n":7}', 7]]), { kind: 'already' })
      equal(await apply(3, [['a', '{"n":7}', 7]]), { kind: 'already' })
      equal(await apply(7, [['a', '{"n":7}', 7]]), { kind: 'behind', batch: 4 })
      matches(await seen(), { batch: 4, rows: { a: '{"n":2}' } })
    },
  ],

  [
    'is not touched by a lower epoch, unless the store says that it is wrong',
    async ({ apply, whole, rebuild, seen }) => {
      await whole(1, [['a', '{"n":1}', 1]], { epoch: driverEpoch(4) })
      equal(await apply(2, [['a', '{"n":2}', 2]], { epoch: driverEpoch(3) }), { kind: 'fenced', epoch: 4 })
      equal(await rebuild(2, [], { phase: 'begin', epoch: driverEpoch(3) }), { kind: 'fenced', epoch: 4 })
      matches(await seen(), { batch: 1, rows: { a: '{"n":1}' } })
      const wrong = { phase: 'begin', epoch: driverEpoch(3), overruled: 5 } as const
      equal(await rebuild(2, [], wrong), { kind: 'fenced', epoch: 4 })
      await whole(1, [['b', '{"n":3}', 3]], { epoch: driverEpoch(3), overruled: 4 })
      matches(await seen(), { batch: 1, rows: { b: '{"n":3}' } })
    },
  ],

  [
    'is not touched for another owner',
    async ({ tested, view, whole, seen, rebuild }) => {
      await whole(1, [['a', '{"n":1}', 1]])
      const other = { ...view, owner: 'another', pipeline: 'others' }
      const step = { phase: 'whole', kind: 'rebuild', after: null, overruled: 1 } as const
      const rest = { batch: batchId(9), log: 'log', epoch: driverEpoch(9), token: 't', at: 0, now: epochMs(NOW) }
      const times = { committedAt: epochMs(NOW), watermark: null, rows: viewRowsOf([['a', '{}']]) }
      equal(await tested.store.apply(other, { ...step, ...rest, ...times }), {
        kind: 'foreign',
        pipeline: 'plays',
      })
      matches(await seen(), { batch: 1, rows: { a: '{"n":1}' } })
      equal(await rebuild(1, [], { phase: 'begin' }), { kind: 'already' })
    },
  ],

  [
    'loses at a rebuild what is no longer there, also when the rebuild before broke off',
    async ({ rebuild, whole, apply, seen }) => {
      await whole(1, [
        ['a', '{"n":1}', 1],
        ['b', '{"n":1}', 5],
      ])
      await rebuild(2, [], { phase: 'begin', log: 'new', token: 'first' })
      await rebuild(2, [['c', '{"n":3}', 3]], { phase: 'rows', at: 1, log: 'new', token: 'first' })
      equal(await apply(3, [], { log: 'new' }), { kind: 'behind', batch: null })
      await whole(3, [['d', '{"n":4}', 4]], { log: 'new', token: 'second' })
      equal(await seen(), { batch: 3, rows: { d: '{"n":4}' }, top: ['d'] })
    },
  ],

  [
    'does not go on with a way that another has interrupted',
    async ({ apply, whole, seen }) => {
      await whole(1, [['a', '{"n":1}', 1]])
      equal(await apply(2, [], { phase: 'begin', token: 'one' }), { kind: 'applied' })
      equal(await apply(2, [['a', '{"n":2}', 2]], { phase: 'rows', at: 1, token: 'one' }), { kind: 'applied' })
      equal(await apply(2, [['a', '{"n":2}', 2]], { token: 'two' }), { kind: 'applied' })
      equal(await apply(2, [['a', '{"n":6}', 6]], { phase: 'rows', at: 1, token: 'one' }), {
        kind: 'behind',
        batch: 2,
      })
      equal(await apply(2, [], { phase: 'finish', at: 2, token: 'one' }), { kind: 'behind', batch: 2 })
      equal(await seen(), { batch: 2, rows: { a: '{"n":2}' }, top: ['a'] })
    },
  ],

  [
    'takes no change to a batch below the one that a way has begun to lead to',
    async ({ apply, whole, seen }) => {
      await whole(4, [['a', '{"n":4}', 4]])
      const way = { after: batchId(4), token: 'longer' }
      equal(await apply(6, [], { ...way, phase: 'begin' }), { kind: 'applied' })
      equal(await apply(6, [['a', '{"n":6}', 6]], { ...way, phase: 'rows', at: 1 }), { kind: 'applied' })
      equal(await apply(5, [['b', '{"n":5}', 5]], { token: 'late' }), { kind: 'behind', batch: null })
      equal(await apply(5, [], { phase: 'begin', token: 'late' }), { kind: 'behind', batch: null })
      equal(await apply(6, [['b', '{"n":5}', 5]], { ...way, phase: 'rows', at: 2 }), { kind: 'applied' })
      equal(await apply(6, [], { ...way, phase: 'finish', at: 3 }), { kind: 'applied' })
      matches(await seen(), { batch: 6, rows: { a: '{"n":6}', b: '{"n":5}' } })
    },
  ],

  [
    'takes a step of a way again, and none on top of a step that it has lost',
    async ({ apply, rebuild, seen }) => {
      equal(await rebuild(1, [], { phase: 'begin' }), { kind: 'applied' })
      equal(await rebuild(1, [['b', '{"n":2}', 2]], { phase: 'rows', at: 2 }), { kind: 'behind', batch: null })
      equal(await rebuild(1, [], { phase: 'finish', at: 2 }), { kind: 'behind', batch: null })
      for (let times = 0; times < 2; times += 1) {
        equal(await rebuild(1, [['a', '{"n":1}', 1]], { phase: 'rows', at: 1 }), { kind: 'applied' })
      }
      equal(await rebuild(1, [], { phase: 'finish', at: 2 }), { kind: 'applied' })
      equal(await apply(2, [], { phase: 'begin', token: 'two' }), { kind: 'applied' })
      equal(await apply(2, [], { phase: 'finish', at: 2, token: 'two' }), { kind: 'behind', batch: 1 })
      equal(await seen(), { batch: 1, rows: { a: '{"n":1}' }, top: ['a'] })
    },
  ],

  [
    'is not whole while rows of before are left',
    async ({ rebuild, whole, seen }) => {
      await whole(1, [['a', '{"n":1}', 1]])
      equal(await rebuild(2, [], { phase: 'begin' }), { kind: 'applied' })
      equal(await rebuild(2, [['b', '{"n":2}', 2]], { phase: 'rows', at: 1 }), { kind: 'applied' })
      equal(await rebuild(2, [], { phase: 'finish', at: 2 }), { kind: 'behind', batch: null })
      equal(await rebuild(2, [], { phase: 'sweep', at: 1 }), { kind: 'left', rows: 0 })
      equal(await rebuild(2, [], { phase: 'finish', at: 2 }), { kind: 'applied' })
      equal(await seen(), { batch: 2, rows: { b: '{"n":2}' }, top: ['b'] })
    },
  ],

  [
    'forgets rows whose time is over',
    async ({ apply, whole, seen }) => {
      await whole(1, [
        ['a', '{"n":1}', 1, NOW + 60_000],
        ['b', '{"n":2}', 2, NOW + 3_600_000],
        ['c', '{"n":3}', 3, NOW - 1],
      ])
      matches(await seen(), { rows: { a: '{"n":1}', b: '{"n":2}' }, top: ['b', 'a'] })
      await apply(2, [], { now: epochMs(NOW + 60_001) })
      matches(await seen(), { batch: 2, rows: { b: '{"n":2}' }, top: ['b'] })
    },
  ],
]

/**
 * What every store of views keeps: the twin in memory and Redis alike.
 *
 * @param open opens the store; views of the promises have names of their own
 */
export const viewStorePromises = (
  open: () => Promise<ViewStoreUnderTest> | ViewStoreUnderTest,
): readonly ConformancePromise[] =>
  promisesOf(
    'a view',
    VIEW_PROMISES,
    async () => begin(await open()),
    async () => undefined,
  )
