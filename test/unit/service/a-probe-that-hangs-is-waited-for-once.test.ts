import { expect, it } from 'vitest'
import { MillraceError } from '../../../src/base/errors.ts'
import { durationMs } from '../../../src/base/units.ts'
import type { ProbeOutcome } from '../../../src/observe/probe.ts'
import { keepProbing } from '../../../src/service/probing.ts'
import { systemClock } from '../../../src/wiring/system.ts'

const settled = () => systemClock.sleep(durationMs(25))

it('tells that there is no answer, asks no second time meanwhile, and takes the late answer', async () => {
  const told: string[] = []
  const waiting: { resolve: () => void }[] = []
  const ending = new AbortController()
  keepProbing({
    ask: () => new Promise<void>(resolve => waiting.push({ resolve })),
    tell: ({ error }: ProbeOutcome) => told.push(error?.code ?? 'well'),
    intervalMs: durationMs(1),
    timeoutMs: durationMs(10),
    clock: systemClock,
    signal: ending.signal,
  })
  await expect.poll(() => told).toEqual(['PROBE_TIMEOUT'])
  await settled()
  expect(told).toHaveLength(1)
  expect(waiting).toHaveLength(1)
  waiting[0]?.resolve()
  await expect.poll(() => told).toEqual(['PROBE_TIMEOUT', 'well', 'PROBE_TIMEOUT'])
  expect(waiting).toHaveLength(2)
  ending.abort()
  waiting[1]?.resolve()
  await settled()
  expect(waiting).toHaveLength(2)
  expect(told).toHaveLength(3)
})

it('a failure is told as it is and the next question is asked', async () => {
  const told: ProbeOutcome[] = []
  const ending = new AbortController()
  keepProbing({
    ask: () => Promise.reject(new MillraceError('FENCED', 'gone', { remedy: 'Look.' })),
    tell: outcome => told.push(outcome),
    intervalMs: durationMs(1),
    timeoutMs: durationMs(1000),
    clock: systemClock,
    signal: ending.signal,
  })
  await expect.poll(() => told.length).toBeGreaterThan(1)
  ending.abort()
  expect(told.length).toBeGreaterThan(1)
  expect(told.map(({ error }) => error?.code)).toContain('FENCED')
})
