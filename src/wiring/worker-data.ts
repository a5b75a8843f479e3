import type { TableLimits } from '../executor/branch-run.ts'
import type { KernelSettings } from './kernels.ts'
import type { KafkaSettings } from './sources.ts'
import type { StoreLocation } from './stores.ts'

/** What a task runner is made with: plain data, so that a worker thread makes the same as the driver's thread would. */
export interface RunnerSettings {
  readonly maxFutureMs: number
  readonly table: TableLimits
  readonly kafka: KafkaSettings
  readonly kernels: KernelSettings
  /** For batch jobs: the runner computes what they do of the pipeline, and reads landed objects; `null` for streams. */
  readonly batch: BatchRunnerSettings | null
}

/** Where landed objects lie. */
export interface BatchRunnerSettings {
  readonly landedStore: StoreLocation
}

/** What a worker thread is started with. */
export interface WorkerData extends RunnerSettings {
  /** The bundled pipeline. */
  readonly artifactUrl: string
}
