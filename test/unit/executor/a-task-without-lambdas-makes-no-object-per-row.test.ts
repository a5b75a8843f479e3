import { expect, it } from 'vitest'
import { BEFORE_ALL_TIME, batchId, epochMs, offset } from '../../../src/base/units.ts'
import type { RecordBatch } from '../../../src/columnar/record-batch.ts'
import { typescriptKernels } from '../../../src/columnar/typescript/index.ts'
import { taskRunner } from '../../../src/executor/task-runner.ts'
import { DATAGEN_TOPIC, datagenReader } from '../../../src/ingest/datagen/datagen-source.ts'
import type { SourceReader } from '../../../src/ingest/source.ts'
import { count, sum } from '../../../src/pipeline/aggregates.ts'
import { json } from '../../../src/pipeline/formats.ts'
import { pipeline } from '../../../src/pipeline/pipeline.ts'
import { schema } from '../../../src/pipeline/schema.ts'
import { parquet } from '../../../src/pipeline/sinks.ts'
import { datagen } from '../../../src/pipeline/sources.ts'
import { tumbling } from '../../../src/pipeline/windows.ts'
import { parquetEncoder } from '../../../src/sinks/parquet/index.ts'
import { allocatedWhenWarm } from '../../support/allocations.ts'

const ROWS = 80_000
/** The smallest object takes 16 bytes; what is left is for batches, groups and files. */
const MAX_BYTES_PER_ROW = 12

const SOURCE = datagen({ partitions: 1, rowsPerSecond: 1000 })

const Play = schema({
  event_id: 'string',
  event_time: 'timestamp',
  content_id: 'int32',
  country: 'string',
  watch_duration: 'float64?',
  position_ms: 'int64?',
})

/** Batches of generated records, made before anything is counted. */
const recordedReader = async (from: number, until: number): Promise<SourceReader> => {
  const range = { topic: DATAGEN_TOPIC, partition: 0, from: offset(from), until: offset(until) }
  const batches: RecordBatch[] = []
  for await (const batch of datagenReader(SOURCE).read(range, new AbortController().signal)) {
    batches.push(structuredClone(batch))
  }
  return {
    bytesRead: 0,
    async *read() {
      yield* batches
    },
    prefetch: () => undefined,
    close: () => Promise.resolve(),
  }
}

it('from bytes to windowed aggregates and Parquet, without an object for each row', async () => {
  const plan = pipeline('plays')
    .from(SOURCE, json(Play))
    .branches({
      raw: rows => rows.select('event_id', 'event_time', 'country', 'position_ms').to(parquet('raw')),
      counts: rows =>
        rows
          .window(tumbling('10s'), { eventTime: 'event_time', watermark: '1m' })
          .groupBy('content_id')
          .aggregate({ plays: count(), watched: sum('watch_duration') })
          .to(parquet('counts')),
    })
  const encoderFactory = parquetEncoder(typescriptKernels)
  const runner = taskRunner({ plan, reader: await recordedReader(0, ROWS), kernels: typescriptKernels, encoderFactory })
  const runTask = async (index: number) => {
    const split = { ranges: [{ topic: DATAGEN_TOPIC, partition: 0, from: offset(0), until: offset(ROWS) }] }
    const watermarks = [BEFORE_ALL_TIME, BEFORE_ALL_TIME]
    const task = { index, batchId: batchId(0), split, watermarks, triggeredAt: epochMs(1_800_000_000_000) }
    const { ledger } = await runner.run(task, new AbortController().signal)
    expect(ledger.decoded).toBe(ROWS)
  }
  const bytes = await allocatedWhenWarm(() => runTask(0), ROWS * MAX_BYTES_PER_ROW)
  expect(bytes / ROWS).toBeLessThan(MAX_BYTES_PER_ROW)
  await runner.close()
})
