import { count, json, kafka, parquet, pipeline, schema, tumbling } from 'millrace'
import { expect, it } from 'vitest'
import { durationMs } from '../../../src/base/units.ts'
import type { DriverEvent } from '../../../src/microbatch/progress.ts'
import { RareWarnings } from '../../../src/microbatch/rare-warnings.ts'
import { memoryObjectStore } from '../../../src/storage/memory/memory-object-store.ts'
import { composeTestDriver } from '../../support/run-driver.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { listSource } from '../batch/fixtures/list-source.ts'

const YEAR = 365 * 86_400_000

const plan = pipeline('ahead')
  .from(kafka({ topic: 't', startingOffsets: 'earliest' }), json(schema({ kind: 'string', at: 'timestamp' })))
  .window(tumbling('10s'), { eventTime: 'at', watermark: '1m' })
  .groupBy('kind')
  .aggregate({ n: count() })
  .to(parquet('counts'))

it('a partition that brings only times ahead of the clock is named, not in every batch, and its rows are counted', async () => {
  const clock = new VirtualClock()
  const now = clock.nowMs()
  const recordsAt = (time: (at: number) => number) =>
    Array.from({ length: 500 }, (_, at) => ({ offset: at, value: JSON.stringify({ kind: 'k', at: time(at) }) }))
  const input = listSource('t', [
    recordsAt(at => now + at),
    recordsAt(at => now + YEAR + at),
    // one of ten is ahead: the others say what time it is
    recordsAt(at => now + (at % 10 === 0 ? YEAR : at)),
  ])
  const events: DriverEvent[] = []
  const emit = (event: DriverEvent): void => void events.push(event)
  const { driver } = await composeTestDriver(plan, { store: memoryObjectStore(), seed: 1, clock, input, emit })
  await driver.run()
  const told = events.flatMap(event => (event.kind === 'warning' ? [`${event.code} ${event.message}`] : []))
  expect(told).toEqual([expect.stringMatching(/^EVENT_TIMES_AHEAD t\/1 .*maxFuture/)])
  const batches = events.flatMap(event => (event.kind === 'progress' ? [event.progress] : []))
  expect(batches.filter(({ numInputRows }) => numInputRows > 0).length).toBeGreaterThan(2)
  const ahead = batches.flatMap(({ stateOperators }) => stateOperators.map(each => each.numRowsAheadOfClock))
  expect(ahead.reduce((sum, rows) => sum + rows, 0)).toBe(550)
})

it('a warning comes again after a minute, and of each subject', async () => {
  const clock = new VirtualClock()
  const told: string[] = []
  const warnings = new RareWarnings(clock, event => told.push(event.kind === 'warning' ? event.message : ''))
  for (const message of ['first', 'second']) warnings.tell('CODE', 'one', message)
  warnings.tell('CODE', 'other', 'of another')
  await clock.sleep(durationMs(60_000))
  warnings.tell('CODE', 'one', 'third')
  expect(told).toEqual(['first', 'of another', 'third'])
})
