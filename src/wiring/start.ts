import { randomUUID } from 'node:crypto'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ReplaySubject } from 'rxjs'
import { createDriver } from '../microbatch/driver.ts'
import type { DriverEvent } from '../microbatch/progress.ts'
import type { Trigger } from '../microbatch/triggers.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import { bundlePipeline } from './bundle/bundle-pipeline.ts'
import { loadPipeline } from './bundle/load-pipeline.ts'
import { composeDriver } from './compose-driver.ts'
import type { Config } from './config/config.ts'
import { loadConfig } from './config/load-config.ts'
import { hasHourlyJobs, startHourlyJobs } from './hourly-jobs.ts'
import { type ProbedQuery, runQuery, type StreamingQuery } from './streaming-query.ts'

/** How a pipeline is run. Everything has a default. */
export interface StartOptions {
  /** Folder or `s3://bucket/prefix` that tables and checkpoint lie under. Default: configuration's `root`. */
  readonly root?: string
  /** What starts a batch. Default: configuration's `trigger`. */
  readonly trigger?: Trigger
  /** Worker threads. Only for a pipeline given by its file; a plan object runs in the caller's own thread. */
  readonly workers?: number
  /** Configuration values by dotted name, over file and environment: `{ 'kafka.brokers': 'broker:9092' }`. */
  readonly set?: Readonly<Record<string, string | number | boolean>>
  /** A JSON file with configuration. */
  readonly configFile?: string
  /** End after so many batches. */
  readonly maxBatches?: number
  /** `new` leaves the checkpoint that is there alone and begins another. */
  readonly checkpoint?: 'continue' | 'new'
  /** Go on from where the source is told to start, with the state that there is. */
  readonly resetOffsets?: boolean
  /** Where console sinks write. Default: stdout. */
  readonly write?: (text: string) => void
  readonly consoleFormat?: 'table' | 'json'
}

/** What `start` of the public door does; see there. */
export const start = async (
  pipeline: PipelinePlan | string | URL,
  options: StartOptions = {},
): Promise<StreamingQuery> => {
  const { config } = await loadConfig(configInput(options))
  const { plan, artifact } = isPlan(pipeline) ? { plan: pipeline, artifact: null } : await bundleFor(pathOf(pipeline))
  return startWith(plan, artifact, config, options)
}

/** Where bundled pipelines lie; their names hold a hash of what is in them. */
const bundleOptions = () => ({
  outDir: join(tmpdir(), `millrace-pipelines-${userInfo().uid}`),
  millraceUrl: new URL(`../index${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
})

/** A pipeline's plan and the module that worker threads load it from. */
export interface LoadedPipeline {
  readonly plan: PipelinePlan
  readonly artifact: URL
}

/** Bundles and loads a pipeline file without running it. @throws PIPELINE_NOT_LOADABLE, INVALID_PIPELINE */
export const bundleFor = async (path: string): Promise<LoadedPipeline> => {
  const artifact = await bundlePipeline(path, bundleOptions())
  return { plan: await loadPipeline(artifact), artifact }
}

/** The demo's own module is compiled already: threads load it as it is. */
export const demoArtifact = (): URL => new URL('./demo-pipeline.js', import.meta.url)

/** Runs a loaded plan; `artifact` is the module that worker threads load it from, or `null` to run without threads. */
export const startWith = async (
  plan: PipelinePlan,
  artifact: URL | null,
  config: Config,
  options: StartOptions,
): Promise<ProbedQuery> => {
  // a handle's subscribers come after the first events
  const events = new ReplaySubject<DriverEvent>(100)
  const runId = randomUUID()
  const { parts, id, probe, close } = await composeDriver({
    plan,
    artifact,
    config,
    options,
    runId,
    emit: event => events.next(event),
  })
  // a run that ends by itself is no daemon: its hours are left to a backfill
  const hourly =
    options.trigger?.kind !== 'availableNow' && hasHourlyJobs(plan, config)
      ? startHourlyJobs({ plan, artifact, config, events, emit: event => events.next(event) })
      : null
  return runQuery({
    id,
    runId,
    name: plan.name,
    driver: createDriver(parts),
    events,
    probe,
    close: async () => {
      await hourly?.stop()
      await close()
    },
    graceMs: config.stopTimeout,
  })
}

/** What `loadConfig` is asked for on behalf of a program. */
const configInput = ({ configFile, set = {}, root, workers }: StartOptions) => ({
  ...(configFile === undefined ? {} : { file: configFile }),
  env: process.env,
  set: [
    ...Object.entries(set).map(([key, value]) => `${key}=${value}`),
    ...(root === undefined ? [] : [`root=${root}`]),
    ...(workers === undefined ? [] : [`workers=${workers}`]),
  ],
})

const isPlan = (pipeline: PipelinePlan | string | URL): pipeline is PipelinePlan =>
  typeof pipeline === 'object' && 'kind' in pipeline

const pathOf = (pipeline: string | URL): string =>
  typeof pipeline === 'string' && !pipeline.startsWith('file:') ? pipeline : fileURLToPath(pipeline)
