import { describe, expect, it } from 'vitest'
import { MillraceError } from '../../../src/base/errors.ts'
import { epochMs } from '../../../src/base/units.ts'
import { PipelineMonitor } from '../../../src/observe/pipeline-monitor.ts'
import { readinessOf } from '../../../src/observe/readiness.ts'

const NO_BOUNDS = { rows: null, ageMs: null }
const T0 = epochMs(1_000_000)

const started = {
  kind: 'started',
  name: 'plays',
  epoch: 4,
  resumedAfter: 7,
  partitions: [{ topic: 'plays', partition: 0, offset: 100 as never, lastRowsAt: T0 }],
} as const

const healthy = (): PipelineMonitor => {
  const monitor = new PipelineMonitor()
  monitor.observe(started, T0)
  monitor.probed('store', { error: null, tookMs: 1 })
  monitor.probed('source', { error: null, tookMs: 1 })
  return monitor
}

const failing = (monitor: PipelineMonitor, bounds = NO_BOUNDS as Parameters<typeof readinessOf>[1], now = T0) => {
  const { ready, checks } = readinessOf(monitor.vitals(now), bounds)
  const failed = checks.filter(({ ok }) => !ok)
  expect(ready).toBe(failed.length === 0)
  return failed.map(({ name, detail }) => `${name}: ${detail}`).join('; ')
}

const failure = (code: 'FENCED' | 'BROKER_TIMEOUT' | 'STORE_FAILED') =>
  new MillraceError(code, 'what happened', { remedy: 'Look.' })

describe('readiness', () => {
  it('is reached when the driver runs and everything has answered once', () => {
    const monitor = new PipelineMonitor()
    expect(failing(monitor)).toMatch(/driver: starting.*epoch: not taken yet.*store: not asked.*source: not asked/)
    monitor.observe(started, T0)
    expect(failing(monitor)).toMatch(/^store: not asked yet; source: not asked yet$/)
    expect(failing(healthy())).toBe('')
  })

  it('goes at once when a stop is asked for', () => {
    const monitor = healthy()
    monitor.stopping()
    expect(failing(monitor)).toBe('driver: stopping')
    monitor.observe({ kind: 'terminated', name: 'plays', batches: 3 }, T0)
    monitor.stopping()
    expect(failing(monitor)).toBe('driver: stopped')
  })

  it('goes when source or store do not answer, and comes back with them', () => {
    const monitor = healthy()
    monitor.probed('source', { error: failure('BROKER_TIMEOUT'), tookMs: 5000 })
    expect(failing(monitor)).toBe('source: BROKER_TIMEOUT: what happened')
    monitor.probed('store', { error: failure('STORE_FAILED'), tookMs: 5000 })
    expect(failing(monitor)).toContain('store: STORE_FAILED: what happened')
    monitor.probed('source', { error: null, tookMs: 1 })
    monitor.probed('store', { error: null, tookMs: 1 })
    expect(failing(monitor)).toBe('')
  })

  it('goes when another driver took over, and says that the store is well', () => {
    const monitor = healthy()
    monitor.probed('store', { error: failure('FENCED'), tookMs: 1 })
    expect(failing(monitor)).toBe('epoch: 4 is fenced by a higher one')
    monitor.observe({ kind: 'failed', code: 'FENCED' }, T0)
    expect(failing(monitor)).toContain('driver: failed: FENCED')
  })

  it('goes beyond the bounds of the lag, in rows or in time, only where there are bounds', () => {
    const monitor = healthy()
    monitor.bounds([{ topic: 'plays', partition: 0, earliest: 0 as never, latest: 1100 as never }], T0)
    const later = epochMs(T0 + 30_000)
    expect(failing(monitor, NO_BOUNDS, later)).toBe('')
    expect(failing(monitor, { rows: 1000, ageMs: 30_000 }, later)).toBe('')
    expect(failing(monitor, { rows: 999, ageMs: null }, later)).toBe('lag: 1,000 rows, 30.0 s: more than 999 rows')
    expect(failing(monitor, { rows: null, ageMs: 29_999 }, later)).toMatch(
      /^lag: 1,000 rows, 30.0 s: more than 30.0 s$/,
    )
  })
})

describe('lag', () => {
  const bounds = [{ topic: 'plays', partition: 0, earliest: 0 as never, latest: 1100 as never }]

  it('is not told before it is known where reading goes on: a topic that holds much is no lag', () => {
    const monitor = new PipelineMonitor()
    monitor.bounds(bounds, T0)
    expect(monitor.vitals(T0).lag).toEqual([])
    monitor.observe(started, T0)
    expect(monitor.vitals(T0).lagRows).toBe(1000)
  })

  it('is not told before the end was looked at', () => {
    const monitor = new PipelineMonitor()
    monitor.observe(started, T0)
    expect(monitor.vitals(T0).lag).toEqual([])
    monitor.bounds(bounds, T0)
    expect(monitor.vitals(T0).lagRows).toBe(1000)
  })
})
