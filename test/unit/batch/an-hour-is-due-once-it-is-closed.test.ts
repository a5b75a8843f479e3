import { expect, it } from 'vitest'
import { durationMs, epochMs } from '../../../src/base/units.ts'
import { batchPlan } from '../../../src/batch/batch-plan.ts'
import { dueHours, firstOpenHour, hourOfFirstWindow } from '../../../src/batch/closed-hours.ts'
import { eventsPipeline, HOUR, START } from './fixtures/events-pipeline.ts'

const MINUTE = 60_000
const plan = (size: '10m' | '90m') => batchPlan(eventsPipeline({ size, offset: '0s', landedBy: 'hour', prefix: '' }))
const firstOpen = (size: '10m' | '90m', watermark: number) =>
  firstOpenHour(plan(size), epochMs(watermark), durationMs(10 * MINUTE))

it('an hour is closed when the watermark has passed its windows and the grace, not a moment sooner', () => {
  // a window of ten minutes may start just before 11:00; ten minutes of grace after that
  expect(firstOpen('10m', START + HOUR + 20 * MINUTE - 1)).toBe(START)
  expect(firstOpen('10m', START + HOUR + 20 * MINUTE)).toBe(START + HOUR)
  expect(firstOpen('90m', START + HOUR + 100 * MINUTE - 1)).toBe(START)
  expect(firstOpen('90m', START + HOUR + 100 * MINUTE)).toBe(START + HOUR)
})

it('every closed hour is due once, oldest first, none older than the time to catch up', () => {
  const day = durationMs(24 * HOUR)
  const at = (hours: number) => epochMs(START + hours * HOUR)
  expect(dueHours(at(0), at(0), day)).toEqual([])
  expect(dueHours(at(3), at(1), day)).toEqual([])
  expect(dueHours(at(0), at(3), day)).toEqual([at(0), at(1), at(2)])
  expect(dueHours(at(-500), at(0), durationMs(2 * HOUR))).toEqual([at(-2), at(-1)])
})

it('the first hour is that of the first window, which may begin before the first row', () => {
  expect(hourOfFirstWindow(plan('10m'), epochMs(START))).toBe(START)
  const start = hourOfFirstWindow(plan('90m'), epochMs(START))
  expect(start).toBeLessThanOrEqual(START)
  expect(START - start).toBeLessThan(2 * HOUR)
  expect(Math.floor(START / (90 * MINUTE)) * 90 * MINUTE - start).toBeGreaterThanOrEqual(0)
  expect(Math.floor(START / (90 * MINUTE)) * 90 * MINUTE - start).toBeLessThan(HOUR)
})
