import { describe, expect, it } from 'vitest'
import { batchId, driverEpoch } from '../../../src/base/units.ts'
import { foreachBatchSink } from '../../../src/sinks/foreach-batch.ts'
import { batchOf, schemaOf } from './fixtures/batches.ts'

const SCHEMA = schemaOf({ id: 'int64', name: 'string?' })
const outputOf = (...rows: ReturnType<typeof batchOf>[]) => ({
  batchId: batchId(4),
  epoch: driverEpoch(1),
  files: [],
  rows,
  watermark: null,
})
const TWO = [
  batchOf(
    SCHEMA,
    [
      [1n, 'a'],
      [2n, 'hidden'],
    ],
    [0],
  ),
  batchOf(SCHEMA, [[3n, null]]),
]

describe("a batch waits for the user's function", () => {
  it('hands over plain rows with the batch, and waits', async () => {
    const delivered: unknown[] = []
    const sink = foreachBatchSink({
      pipeline: 'trending',
      deliver: async (rows, batch) => {
        await new Promise(resolve => setImmediate(resolve))
        delivered.push(rows, batch)
      },
    })
    await sink.prepare(outputOf(...TWO))
    expect(delivered).toEqual([
      [
        { id: 1n, name: 'a' },
        { id: 3n, name: null },
      ],
      { batchId: 4, pipeline: 'trending' },
    ])
    expect(sink.delivery).toBe('atLeastOnce')
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('the service is down')
      },
    ],
    ['rejects', () => Promise.reject(new Error('the service is down'))],
  ])('fails the batch where the function %s', async (_, deliver) => {
    const failed = foreachBatchSink({ pipeline: 'trending', deliver }).prepare(outputOf(...TWO))
    await expect(failed).rejects.toMatchObject({
      code: 'STAGE_FAILED',
      message: 'foreachBatch failed for batch 4 of trending: the service is down',
      cause: new Error('the service is down'),
    })
  })

  it('does not call it for a batch without rows', async () => {
    const sink = foreachBatchSink({ pipeline: 'trending', deliver: () => expect.unreachable() })
    expect(await sink.prepare(outputOf(batchOf(SCHEMA, [])))).toBeNull()
  })
})
