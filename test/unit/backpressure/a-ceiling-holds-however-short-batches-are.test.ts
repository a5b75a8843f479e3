import { describe, expect, it } from 'vitest'
import { rateController } from '../../../src/backpressure/rate-controller.ts'
import { durationMs, rowsPerSecond } from '../../../src/base/units.ts'
import type { DriverEvent } from '../../../src/microbatch/progress.ts'
import { availableNow } from '../../../src/microbatch/triggers.ts'
import { json } from '../../../src/pipeline/formats.ts'
import { pipeline } from '../../../src/pipeline/pipeline.ts'
import { schema } from '../../../src/pipeline/schema.ts'
import { parquet } from '../../../src/pipeline/sinks.ts'
import { datagen } from '../../../src/pipeline/sources.ts'
import { memoryObjectStore } from '../../../src/storage/memory/memory-object-store.ts'
import { composeTestDriver } from '../../support/run-driver.ts'

const plan = pipeline('ceiling')
  .from(
    datagen({ partitions: 2, rowsPerPartition: 1000, rowsPerSecond: 100_000, speed: 1, seed: 3 }),
    json(schema({ country: 'string' })),
  )
  .land()
  .to(parquet('raw', { partitionBy: [] }))

describe('a ceiling holds however short batches are', () => {
  it('lets no more rows through than maxRate in any stretch of time, where each batch takes no time at all', async () => {
    const events: DriverEvent[] = []
    const { driver, parts, clock } = await composeTestDriver(plan, {
      store: memoryObjectStore(),
      seed: 1,
      settings: { trigger: availableNow(), targetIntervalMs: durationMs(200) },
      emit: event => events.push(event),
    })
    clock.advance(60_000)
    await driver.run()
    const batches = events.flatMap(event => (event.kind === 'progress' ? [event.progress] : []))
    expect(batches.reduce((rows, batch) => rows + batch.numInputRows, 0)).toBe(2000)
    expect(parts.rate.limit(durationMs(1000)).rate).toBe(400)
    for (const [at, first] of batches.entries()) {
      let rows = 0
      for (const last of batches.slice(at, -1)) {
        rows += last.numInputRows
        const next = batches[batches.indexOf(last) + 1]
        const passedMs = Date.parse(next?.timestamp ?? '') - Date.parse(first.timestamp)
        expect((rows * 1000) / passedMs).toBeLessThanOrEqual(400)
      }
    }
  })

  it('asks for no wait without a ceiling, or where the rate is not limited at all', () => {
    const options = {
      enabled: true,
      initialRate: rowsPerSecond(1000),
      minRate: rowsPerSecond(100),
      maxRate: null,
      growth: 2,
      proportional: 1,
      integral: 0.2,
      derivative: 0,
      maxBatchBytes: 1e9,
      maxOutputBytes: 1e9,
    }
    expect(rateController(options).leastTime(1e9)).toBe(0)
    expect(rateController({ ...options, enabled: false, maxRate: rowsPerSecond(10) }).leastTime(1e9)).toBe(0)
    expect(rateController({ ...options, maxRate: rowsPerSecond(10) }).leastTime(25)).toBe(2500)
  })
})
