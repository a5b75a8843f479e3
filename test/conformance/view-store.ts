import { describe, expect, it } from 'vitest'
import { batchId, driverEpoch, epochMs } from '../../src/base/units.ts'
import type { ColumnBatch } from '../../src/columnar/column-batch.ts'
import { columnBuilder } from '../../src/columnar/column-builder.ts'
import type { ViewContents } from '../../src/sim/memory-views.ts'
import { VIEW_ROWS } from '../../src/sinks/view/view-rows.ts'
import type { ViewAnswer, ViewIdentity, ViewStep, ViewStore } from '../../src/sinks/view/view-store.ts'

/** A store under test, and how a reader sees what it holds. */
export interface ViewStoreUnderTest {
  readonly store: ViewStore
  contents(name: string): Promise<ViewContents>
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

/** The contract of `ViewStore`, for the twin and for Redis alike. */
export const viewStoreContract = (open: () => Promise<ViewStoreUnderTest> | ViewStoreUnderTest): void => {
  const begin = async (identity: Partial<ViewIdentity> = {}) => {
    const tested = await open()
    names += 1
    const view: ViewIdentity = {
      name: `view-${names}`,
      pipeline: 'plays',
      owner: 'owner',
      format: 'json',
      key: ['content_id'],
      top: 2,
      ...identity,
    }
    const apply = (batch: number, rows: readonly TestRow[], step: Partial<ViewStep> = {}): Promise<ViewAnswer> =>
      tested.store.apply(view, {
        phase: 'whole',
        kind: 'delta',
        after: batch === 0 ? null : batchId(batch - 1),
        batch: batchId(batch),
        log: 'log',
        epoch: driverEpoch(1),
        force: false,
        token: 'token',
        now: epochMs(NOW),
        committedAt: epochMs(NOW),
        watermark: null,
        rows: viewRowsOf(rows),
        ...step,
      })
    const rebuild = (batch: number, rows: readonly TestRow[], step: Partial<ViewStep> = {}) =>
      apply(batch, rows, { kind: 'rebuild', after: null, ...step })
    const whole = async (batch: number, rows: readonly TestRow[], step: Partial<ViewStep> = {}) => {
      expect(await rebuild(batch, [], { phase: 'begin', ...step })).toEqual({ kind: 'applied' })
      expect(await rebuild(batch, rows, { phase: 'rows', ...step })).toEqual({ kind: 'applied' })
      expect(await rebuild(batch, [], { phase: 'sweep', ...step })).toEqual({ kind: 'left', rows: 0 })
      expect(await rebuild(batch, [], { phase: 'finish', ...step })).toEqual({ kind: 'applied' })
    }
    const seen = async () => {
      const { batch, rows, top } = await tested.contents(view.name)
      return { batch, rows: Object.fromEntries(rows), top }
    }
    return { apply, rebuild, whole, seen, tested, view }
  }

  describe('a view', () => {
    it('is at no batch before it was built', async () => {
      const { apply, seen } = await begin()
      expect(await apply(5, [['a', '{"n":1}']])).toEqual({ kind: 'behind', batch: null })
      expect(await seen()).toEqual({ batch: null, rows: {}, top: [] })
    })

    it('holds the last row of each key, and of the ranked rows the greatest', async () => {
      const { apply, whole, seen } = await begin()
      await whole(0, [
        ['a', '{"n":1}', 1],
        ['b', '{"n":2}', 2],
        ['c', '{"n":null}', null],
      ])
      expect(await seen()).toMatchObject({ batch: 0, top: ['b', 'a'] })
      expect(await apply(1, [['a', '{"n":9}', 9]])).toEqual({ kind: 'applied' })
      expect(await apply(2, [['b', '{"n":0}', 0]])).toEqual({ kind: 'applied' })
      expect(await seen()).toEqual({ batch: 2, rows: { a: '{"n":9}', b: '{"n":0}', c: '{"n":null}' }, top: ['a', 'b'] })
    })

    it('applies a batch at most once, and none below the one that it is at', async () => {
      const { apply, whole, seen } = await begin()
      await whole(3, [['a', '{"n":1}', 1]])
      expect(await apply(4, [['a', '{"n":2}', 2]])).toEqual({ kind: 'applied' })
      expect(await apply(4, [['a', '{"n":7}', 7]])).toEqual({ kind: 'already' })
      expect(await apply(3, [['a', '{"n":7}', 7]])).toEqual({ kind: 'already' })
      expect(await apply(7, [['a', '{"n":7}', 7]])).toEqual({ kind: 'behind', batch: 4 })
      expect(await seen()).toMatchObject({ batch: 4, rows: { a: '{"n":2}' } })
    })

    it('is not touched by a lower epoch, unless the store says that it is wrong', async () => {
      const { apply, whole, rebuild, seen } = await begin()
      await whole(1, [['a', '{"n":1}', 1]], { epoch: driverEpoch(4) })
      expect(await apply(2, [['a', '{"n":2}', 2]], { epoch: driverEpoch(3) })).toEqual({ kind: 'fenced', epoch: 4 })
      expect(await rebuild(2, [], { phase: 'begin', epoch: driverEpoch(3) })).toEqual({ kind: 'fenced', epoch: 4 })
      expect(await seen()).toMatchObject({ batch: 1, rows: { a: '{"n":1}' } })
      await whole(1, [['b', '{"n":3}', 3]], { epoch: driverEpoch(3), force: true })
      expect(await seen()).toMatchObject({ batch: 1, rows: { b: '{"n":3}' } })
    })

    it('is not touched for another owner', async () => {
      const { tested, view, whole, seen, rebuild } = await begin()
      await whole(1, [['a', '{"n":1}', 1]])
      const other = { ...view, owner: 'another', pipeline: 'others' }
      const step = { phase: 'whole', kind: 'rebuild', after: null, force: true } as const
      const rest = { batch: batchId(9), log: 'log', epoch: driverEpoch(9), token: 't', now: epochMs(NOW) }
      const times = { committedAt: epochMs(NOW), watermark: null, rows: viewRowsOf([['a', '{}']]) }
      expect(await tested.store.apply(other, { ...step, ...rest, ...times })).toEqual({
        kind: 'foreign',
        pipeline: 'plays',
      })
      expect(await seen()).toMatchObject({ batch: 1, rows: { a: '{"n":1}' } })
      expect(await rebuild(1, [], { phase: 'begin' })).toEqual({ kind: 'already' })
    })

    it('loses at a rebuild what is no longer there, also when the rebuild before broke off', async () => {
      const { rebuild, whole, apply, seen } = await begin()
      await whole(1, [
        ['a', '{"n":1}', 1],
        ['b', '{"n":1}', 5],
      ])
      await rebuild(2, [], { phase: 'begin', log: 'new', token: 'first' })
      await rebuild(2, [['c', '{"n":3}', 3]], { phase: 'rows', log: 'new', token: 'first' })
      expect(await apply(3, [], { log: 'new' })).toEqual({ kind: 'behind', batch: null })
      await whole(3, [['d', '{"n":4}', 4]], { log: 'new', token: 'second' })
      expect(await seen()).toEqual({ batch: 3, rows: { d: '{"n":4}' }, top: ['d'] })
    })

    it('does not go on with a way that another has interrupted', async () => {
      const { apply, whole, seen } = await begin()
      await whole(1, [['a', '{"n":1}', 1]])
      expect(await apply(2, [], { phase: 'begin', token: 'one' })).toEqual({ kind: 'applied' })
      expect(await apply(2, [['a', '{"n":2}', 2]], { phase: 'rows', token: 'one' })).toEqual({ kind: 'applied' })
      expect(await apply(2, [['a', '{"n":2}', 2]], { token: 'two' })).toEqual({ kind: 'applied' })
      expect(await apply(2, [['a', '{"n":6}', 6]], { phase: 'rows', token: 'one' })).toEqual({
        kind: 'behind',
        batch: 2,
      })
      expect(await apply(2, [], { phase: 'finish', token: 'one' })).toEqual({ kind: 'behind', batch: 2 })
      expect(await seen()).toEqual({ batch: 2, rows: { a: '{"n":2}' }, top: ['a'] })
    })

    it('forgets rows whose time is over', async () => {
      const { apply, whole, seen } = await begin()
      await whole(1, [
        ['a', '{"n":1}', 1, NOW + 60_000],
        ['b', '{"n":2}', 2, NOW + 3_600_000],
        ['c', '{"n":3}', 3, NOW - 1],
      ])
      expect(await seen()).toMatchObject({ rows: { a: '{"n":1}', b: '{"n":2}' }, top: ['b', 'a'] })
      await apply(2, [], { now: epochMs(NOW + 60_001) })
      expect(await seen()).toMatchObject({ batch: 2, rows: { b: '{"n":2}' }, top: ['b'] })
    })
  })
}
