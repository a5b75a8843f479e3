import { viewStorePromises } from 'millrace/testing'
import { expect, inject, it } from 'vitest'
import { batchId, driverEpoch, epochMs } from '../../src/base/units.ts'
import { viewRowsOf } from '../../src/sim/conformance/view-store-promises.ts'
import { redisViewStore } from '../../src/sinks/redis/redis-view-store.ts'
import { viewKeys } from '../../src/sinks/redis/view-keys.ts'
import { connectRedis, PREFIX, viewContents } from './support/redis.ts'

const promises = viewStorePromises(async () => {
  const redis = await connectRedis(inject('redisUrl'))
  return { store: redisViewStore(redis, PREFIX), contents: name => viewContents(redis, name) }
})
for (const { name, run } of promises) it(name, run)

it('a view that loses keys while it is rebuilt does not count as whole', async () => {
  const redis = await connectRedis(inject('redisUrl'))
  const view = { name: 'losing', pipeline: 'p', owner: 'o', format: 'json', key: ['id'], top: 0 } as const
  const [now, token] = [epochMs(Date.UTC(2030, 0, 15)), 'token']
  const ids = { batch: batchId(1), log: 'log', epoch: driverEpoch(1), after: null }
  const step = (phase: 'begin' | 'rows' | 'sweep' | 'finish', at: number, rows: readonly [string, string][] = []) =>
    redisViewStore(redis, PREFIX).apply(view, {
      ...ids,
      phase,
      kind: 'rebuild',
      overruled: null,
      token,
      at,
      now,
      committedAt: now,
      watermark: null,
      rows: viewRowsOf(rows),
    })
  await step('begin', 0)
  await step('rows', 1, [['a', '{}']])
  await redis.call('DEL', viewKeys(PREFIX, view.name).index)
  await step('rows', 2, [['b', '{}']])
  await step('sweep', 2)
  expect(await step('finish', 3)).toEqual({ kind: 'behind', batch: null })
})
