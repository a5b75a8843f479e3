import { setImmediate as nextTurn } from 'node:timers/promises'
import { durationMs } from '../base/units.ts'
import { type BatchPlan, batchPlan, landsAgain } from '../batch/batch-plan.ts'
import { type TaskRunner, taskRunner } from '../executor/task-runner.ts'
import { DATAGEN_TOPIC } from '../ingest/datagen/datagen-source.ts'
import type { ObjectSplitReader } from '../ingest/object-split.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import { parquetEncoder } from '../sinks/parquet/index.ts'
import { SpareBuffers } from '../sinks/spare-buffers.ts'
import { makeKernels } from './kernels.ts'
import { makeReader } from './sources.ts'
import { openStoreAt } from './stores.ts'
import type { BatchRunnerSettings, RunnerSettings } from './worker-data.ts'

/** A task runner over the real source and encoder, for a worker thread or for the driver's own thread. */
export const makeRunner = async (plan: PipelinePlan, settings: RunnerSettings): Promise<TaskRunner> => {
  // one instance: what the reader decompresses lies where the decoder works
  const kernels = makeKernels(settings.kernels)
  const buffers = new SpareBuffers()
  const batch = settings.batch === null ? null : batchPlan(plan)
  return taskRunner({
    plan: batch?.plan ?? plan,
    reader: makeReader(plan.source, settings.kafka, kernels),
    objects: batch === null || settings.batch === null ? null : await landedReader(batch, settings.batch),
    kernels,
    encoderFactory: parquetEncoder(kernels, buffers),
    buffers,
    maxFutureMs: durationMs(settings.maxFutureMs),
    table: settings.table,
    // a source that never waits must still let a stop through
    pause: () => nextTurn(),
  })
}

const landedReader = async (
  batch: BatchPlan,
  { landedStore }: BatchRunnerSettings,
): Promise<ObjectSplitReader | null> => {
  const { landed, plan } = batch
  if (landed === null) return null
  const { loadObjectSplitReader } = await import('../ingest/objects/object-split-reader.ts')
  return loadObjectSplitReader({
    store: await openStoreAt(landedStore),
    topic: plan.source.kind === 'kafka' ? plan.source.topic : DATAGEN_TOPIC,
    schema: plan.format.schema,
    prefix: landed.prefix,
    partitionBy: landed.partitionBy,
    wholeRecords: landsAgain(batch),
  })
}
