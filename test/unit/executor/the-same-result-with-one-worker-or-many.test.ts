import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { batchId, epochMs } from '../../../src/base/units.ts'
import { inlineExecutor } from '../../../src/executor/inline-executor.ts'
import type { Executor, Task, TaskResult } from '../../../src/executor/task.ts'
import { threadExecutor } from '../../../src/executor/threads/thread-executor.ts'
import { bundleWorker } from './fixtures/bundle-worker.ts'
import { linesOf, rowsOf } from './fixtures/json-lines.ts'
import { playsRunner } from './fixtures/plays.ts'
import { range } from './fixtures/record-source.ts'

const BATCH_ROWS = 17
let worker: Awaited<ReturnType<typeof bundleWorker>>
let executors: readonly Executor[] = []
beforeAll(async () => {
  worker = await bundleWorker('plays-worker')
  executors = [1, 2, 3].map(workers =>
    threadExecutor({ workerUrl: worker.url, workerData: { batchRows: BATCH_ROWS }, workers }),
  )
})
afterAll(async () => {
  await Promise.all(executors.map(executor => executor.close()))
  await worker.remove()
})

const plain = (result: TaskResult) => ({
  ...result,
  deadLetters: linesOf(result.deadLetters),
  branches: result.branches.map(branch => ({
    eventTimes: branch.eventTimes,
    files: branch.files.map(linesOf),
    rows: branch.rows.map(batches => batches.map(rowsOf)),
    partials: branch.partials === null ? null : rowsOf(branch.partials),
  })),
})

const anyTasks = fc
  .record({
    topic: fc.nat(1000).map(String),
    cuts: fc.array(fc.nat(120), { maxLength: 6 }),
    watermark: fc.integer({ min: -9_000, max: 9_000 }),
  })
  .map(({ topic, cuts, watermark }): readonly Task[] => {
    const ends = [...new Set([0, ...cuts, 120])].toSorted((a, b) => a - b)
    return ends.slice(1).flatMap((until, at) =>
      [0, 1, 2].map(partition => ({
        batchId: batchId(0),
        index: 3 * at + partition,
        split: { ranges: [range(ends[at] as number, until, partition, topic)] },
        watermarks: [epochMs(watermark), epochMs(0)],
        triggeredAt: epochMs(0),
      })),
    )
  })

test('row for row, file for file and count for count, in the order of the tasks', async () => {
  const inline = inlineExecutor(playsRunner(BATCH_ROWS))
  const { signal } = new AbortController()
  await fc.assert(
    fc.asyncProperty(anyTasks, async tasks => {
      const expected = (await inline.run(tasks, signal)).map(plain)
      for (const executor of executors) expect((await executor.run(tasks, signal)).map(plain)).toEqual(expected)
    }),
    { numRuns: 25 },
  )
})
