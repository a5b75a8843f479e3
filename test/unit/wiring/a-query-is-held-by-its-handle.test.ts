import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { filter, firstValueFrom } from 'rxjs'
import { expect, it, onTestFinished } from 'vitest'
import {
  availableNow,
  count,
  datagen,
  foreachBatch,
  json,
  pipeline,
  processingTime,
  schema,
  start,
} from '../../../src/index.ts'

const Play = schema({ content_id: 'int32', country: 'string' })

const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-handle-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Counts by country over all time; each batch puts out the groups that it changed. */
const countsInto = (latest: Map<unknown, unknown>) =>
  pipeline('countries')
    .from(datagen({ rowsPerSecond: 4000, partitions: 2 }), json(Play))
    .groupBy('country')
    .aggregate({ plays: count() })
    .outputMode('update')
    .to(
      foreachBatch(rows => {
        for (const row of rows) latest.set(row['country'], row['plays'])
      }),
    )

const total = (latest: ReadonlyMap<unknown, unknown>): number =>
  [...latest.values()].reduce((sum: number, plays) => sum + Number(plays), 0)

it('tells its progress, ends when it is stopped, and its state goes on in the next run', async () => {
  const root = temporaryFolder()
  const latest = new Map<unknown, unknown>()
  const run = async (maxBatches: number) => {
    const query = await start(countsInto(latest), { root, trigger: processingTime('100ms'), maxBatches })
    expect(query.isActive).toBe(true)
    await query.awaitTermination()
    expect(query.isActive).toBe(false)
    expect(query.exception).toBeNull()
    return query
  }
  const first = await run(3)
  expect(first.name).toBe('countries')
  expect(first.recentProgress.map(each => each.batchId)).toEqual([0, 1, 2])
  expect(first.lastProgress).toMatchObject({
    batchId: 2,
    name: 'countries',
    sources: [{ startOffset: {}, endOffset: {} }],
  })
  const read = first.recentProgress.reduce((sum, each) => sum + each.numInputRows, 0)
  expect(total(latest)).toBe(read)

  const second = await run(2)
  expect(second.id).toBe(first.id)
  expect(second.runId).not.toBe(first.runId)
  expect(second.recentProgress.map(each => each.batchId)).toEqual([3, 4])
  expect(total(latest)).toBe(read + second.recentProgress.reduce((sum, each) => sum + each.numInputRows, 0))
})

it('stop() ends a query that would run for ever', async () => {
  const query = await start(countsInto(new Map()), { root: temporaryFolder() })
  await query.stop()
  expect(query.isActive).toBe(false)
  expect(query.exception).toBeNull()
})

it('stop() abandons a batch that hangs: it is not committed, and comes again under its id', async () => {
  const root = temporaryFolder()
  const delivered: number[] = []
  const hanging = (until: Promise<void>) =>
    pipeline('hanging')
      .from(datagen({ rowsPerSecond: 4000, partitions: 1, rowsPerPartition: 10 }), json(Play))
      .to(
        foreachBatch((_, { batchId }) => {
          delivered.push(batchId)
          return until
        }),
      )
  let release = (): void => undefined
  const query = await start(hanging(new Promise(resolve => (release = resolve))), { root })
  await expect.poll(() => delivered.length).toBe(1)
  await query.stop({ graceMs: 20 })
  expect(query.exception).toBeNull()
  // the function comes back after all, to a batch that nobody waits for any more
  release()
  const next = await start(hanging(Promise.resolve()), { root, trigger: availableNow() })
  await next.awaitTermination()
  expect(delivered[1]).toBe(delivered[0])
  expect(query.recentProgress.some(({ batchId }) => batchId === delivered[0])).toBe(false)
})

it('an older driver is fenced by a newer one', async () => {
  const root = temporaryFolder()
  const older = await start(countsInto(new Map()), { root, trigger: processingTime('50ms') })
  const newer = await start(countsInto(new Map()), { root, trigger: processingTime('50ms') })
  await expect(older.awaitTermination()).rejects.toMatchObject({ code: 'FENCED', exitCode: 3 })
  expect(newer.isActive).toBe(true)
  await newer.stop()
  expect(newer.exception).toBeNull()
})

it('an idle driver notices that it was fenced, too', async () => {
  const root = temporaryFolder()
  const finite = pipeline('finite')
    .from(datagen({ rowsPerSecond: 4000, partitions: 1, rowsPerPartition: 10 }), json(Play))
    .to(foreachBatch(() => undefined))
  const older = await start(finite, { root })
  await firstValueFrom(older.events.pipe(filter(event => event.kind === 'progress' && event.progress.batchId > 0)))
  const newer = await start(finite, { root })
  await expect(older.awaitTermination()).rejects.toMatchObject({ code: 'FENCED' })
  await newer.stop()
})
