import { inlineExecutor } from '../executor/inline-executor.ts'
import type { Executor } from '../executor/task.ts'
import { threadExecutor } from '../executor/threads/thread-executor.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { Config } from './config/config.ts'
import { makeRunner } from './runner.ts'
import type { BatchRunnerSettings, RunnerSettings, WorkerData } from './worker-data.ts'

/** What an executor is made with. */
export interface ExecutorOptions {
  readonly plan: PipelinePlan
  /** The module that worker threads load the plan from; `null` runs tasks in this thread. */
  readonly artifact: URL | null
  readonly config: Config
  readonly workers: number
  /** For batch jobs. */
  readonly batch: BatchRunnerSettings | null
  readonly emit: (warning: { readonly kind: 'warning'; readonly code: string; readonly message: string }) => void
}

/** Threads over the pipeline's artifact, or this thread where there is none. */
export const makeExecutor = async (options: ExecutorOptions): Promise<Executor> => {
  const { plan, artifact, config, workers, emit } = options
  const { maxFailures, timeout } = config.task
  if (artifact === null) return inlineExecutor(await makeRunner(plan, runnerSettings(options)), { maxFailures })
  const workerData: WorkerData = { ...runnerSettings(options), artifactUrl: artifact.href }
  const executor = threadExecutor({
    workerUrl: workerEntry(),
    workerData,
    workers,
    maxFailures,
    taskTimeoutMs: timeout,
    log: message => emit({ kind: 'warning', code: 'WORKER', message }),
  })
  // or the first batch would seem to be slow
  await executor.start()
  return executor
}

/** Threads load compiled files only; run from sources, the built ones beside them are taken. */
const workerEntry = (): URL =>
  import.meta.url.endsWith('.ts')
    ? new URL('../../dist/wiring/worker-entry.js', import.meta.url)
    : new URL('./worker-entry.js', import.meta.url)

/** The part of the configuration that connections to Kafka are made with. */
export const kafkaSettings = ({ kafka }: Config) => ({
  brokers: kafka.brokers,
  clientId: kafka.clientId,
  requestTimeoutMs: kafka.requestTimeout,
  fetchMaxBytes: kafka.fetchMaxBytes,
  prefetchBytes: kafka.prefetchBytes,
  maxDecompressedBytes: kafka.maxDecompressedBytes,
})

/** The budget for prefetched bytes is the process's: each worker gets its part. */
const runnerSettings = ({ config, artifact, workers, batch }: ExecutorOptions): RunnerSettings => {
  const shares = artifact === null ? 1 : workers
  return {
    maxFutureMs: config.watermark.maxFuture,
    table: { maxFileBytes: config.parquet.maxFileBytes, maxOpenPartitions: config.parquet.maxOpenPartitions },
    kafka: { ...kafkaSettings(config), prefetchBytes: Math.floor(config.kafka.prefetchBytes / shares) },
    kernels: { implementation: config.kernels, memoryBytes: config.kernelMemory },
    batch,
  }
}
