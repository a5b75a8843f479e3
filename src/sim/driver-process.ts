import type { Clock } from '../base/clock.ts'
import { type Random, seededRandom } from '../base/random.ts'
import { durationMs, rowsPerSecond } from '../base/units.ts'
import { taskRunner } from '../executor/task-runner.ts'
import { assembleDriver } from '../microbatch/assemble-driver.ts'
import { bindSinks } from '../microbatch/bind-sinks.ts'
import { createDriver, type Driver } from '../microbatch/driver.ts'
import type { BoundSink, DriverParts } from '../microbatch/driver-parts.ts'
import type { Trigger } from '../microbatch/triggers.ts'
import type { PipelinePlan, SinkNode } from '../pipeline/plan.ts'
import type { Sink } from '../sinks/sink.ts'
import { tableSink } from '../sinks/table-sink.ts'
import { viewSink } from '../sinks/view/view-sink.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import type { Auditor } from './auditor.ts'
import type { Bucket } from './bucket.ts'
import { simulatedExecutor } from './executor.ts'
import { lineEncoder } from './line-encoder.ts'
import type { SimProcess } from './process.ts'
import { processClock } from './process-clock.ts'
import type { SimRedis } from './redis.ts'
import { SHARED_SETTINGS } from './reference.ts'
import { silentSink } from './silent-sinks.ts'
import { type SourceBehaviour, sourcePlanner, sourceReader } from './source-client.ts'
import { storeClient } from './store-client.ts'
import type { Subject } from './subject.ts'
import type { Topic } from './topic.ts'

/** What all drivers of a simulation share. */
export interface Site {
  readonly subject: Subject
  readonly topic: Topic
  readonly bucket: Bucket
  readonly redis: SimRedis
  readonly auditor: Auditor
  readonly behaviour: SourceBehaviour
  readonly staleMs: () => number
  readonly skewMs: () => number
  readonly maxRate: number
}

/** How one driver is started. */
export interface Launch {
  readonly seed: number
  /** Which of the subject's versions. */
  readonly version: number
  readonly workers: number
  readonly trigger: Trigger
}

/**
 * Runs the product's own driver in a simulated process: opens the checkpoint, recovers, runs batches until it ends.
 * @param started told once the driver can be stopped
 */
export const runDriver = async (
  site: Site,
  process: SimProcess,
  launch: Launch,
  started: (driver: Driver) => void,
): Promise<void> => {
  const { subject, topic, bucket, auditor, behaviour } = site
  const { mistake, kernels } = subject
  const plan = subject.versions[launch.version] as PipelinePlan
  const random = seededRandom(launch.seed)
  const client = storeClient(bucket, process, site.staleMs)
  const store = mistake?.store?.(client) ?? client
  const clock = processClock(process, site.skewMs)
  const runners = Array.from({ length: launch.workers }, () => {
    const reader = sourceReader(topic, process, behaviour)
    return taskRunner({ plan, reader: mistake?.reader?.(reader) ?? reader, kernels, encoderFactory: lineEncoder })
  })
  const parts = await assembleDriver({
    plan,
    source: sourcePlanner(topic, process, behaviour),
    store,
    random,
    sinks: boundSinks(site, process, plan, { store, random, clock }).map(bound =>
      audited(bound, auditor, launch.version),
    ),
    kernels,
    encoder: lineEncoder,
    clock,
    rate: { ...RATE, maxRate: rowsPerSecond(site.maxRate) },
    retainBatches: 100,
    checkpoint: 'continue',
    settings: settingsOf(launch),
    makeExecutor: () => Promise.resolve(simulatedExecutor(runners)),
    emit: event => {
      if (event.kind === 'progress') process.world.tell(process.name, () => `batch ${event.progress.batchId} is done`)
    },
  })
  auditor.owns(parts.checkpoint.epoch, launch.version)
  const driver = createDriver(mistake?.parts?.(parts) ?? parts)
  started(driver)
  await driver.run()
  for (const { sink } of parts.sinks) await sink.close?.()
}

const boundSinks = (
  { subject, redis }: Site,
  process: SimProcess,
  plan: PipelinePlan,
  around: { readonly store: ObjectStore; readonly random: Random; readonly clock: Clock },
): readonly BoundSink[] => {
  const views = redis.client(process)
  const table = (folder: string): Sink =>
    tableSink({ ...around, pipeline: plan.name, table: folder, description: `table ${folder}` })
  const make = (node: SinkNode, name: string): Sink => {
    if (node.kind === 'parquet') return table(node.table)
    if (node.kind !== 'redisView') return silentSink(name)
    return viewSink({
      ...around,
      node,
      pipeline: plan.name,
      views: subject.mistake?.views?.(views) ?? views,
      timeoutMs: durationMs(VIEW_TIMEOUT_MS),
      warn: (code, message) => process.world.tell(process.name, () => `warns ${code}: ${message}`),
    })
  }
  return bindSinks(plan, { table, make })
}

/** How long a batch waits for a view. */
const VIEW_TIMEOUT_MS = 200

const audited = (bound: BoundSink, auditor: Auditor, version: number): BoundSink => {
  const { name, sink } = bound
  return {
    ...bound,
    sink: {
      ...sink,
      prepare: output => {
        auditor.prepared(output.batchId, name, version, output)
        return sink.prepare(output)
      },
    },
  }
}

const RATE = {
  enabled: true,
  initialRate: rowsPerSecond(10),
  minRate: rowsPerSecond(4),
  growth: 2,
  proportional: 1,
  integral: 0.2,
  derivative: 0,
  maxBatchBytes: 1e9,
  maxOutputBytes: 1e9,
}

const settingsOf = ({ trigger }: Launch): DriverParts['settings'] => ({
  ...SHARED_SETTINGS,
  queryId: 'simulated',
  runId: 'simulated',
  trigger,
  pollIntervalMs: durationMs(100),
  idleTimeoutMs: durationMs(30_000),
  truncationGraceMs: durationMs(30_000),
  maxBatches: null,
  resetOffsets: false,
})
