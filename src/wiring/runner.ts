import { setImmediate as nextTurn } from 'node:timers/promises'
import { durationMs } from '../base/units.ts'
import { type TaskRunner, taskRunner } from '../executor/task-runner.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import { loadParquetEncoder } from '../sinks/parquet/index.ts'
import { makeKernels } from './kernels.ts'
import { makeReader } from './sources.ts'
import type { RunnerSettings } from './worker-data.ts'

/** A task runner over the real source and encoder, for a worker thread or for the driver's own thread. */
export const makeRunner = async (plan: PipelinePlan, settings: RunnerSettings): Promise<TaskRunner> =>
  taskRunner({
    plan,
    reader: makeReader(plan.source, settings.kafka),
    kernels: makeKernels(settings.kernels),
    encoderFactory: await loadParquetEncoder(),
    maxFutureMs: durationMs(settings.maxFutureMs),
    table: settings.table,
    // a source that never waits must still let a stop through
    pause: () => nextTurn(),
  })
