import { present } from '../../src/base/assert.ts'
import { seededRandom } from '../../src/base/random.ts'
import { durationMs, rowsPerSecond } from '../../src/base/units.ts'
import { typescriptKernels } from '../../src/columnar/typescript/index.ts'
import { inlineExecutor } from '../../src/executor/inline-executor.ts'
import { taskRunner } from '../../src/executor/task-runner.ts'
import { datagenPlanner, datagenReader } from '../../src/ingest/datagen/datagen-source.ts'
import type { SourcePlanner, SourceReader } from '../../src/ingest/source.ts'
import { assembleDriver } from '../../src/microbatch/assemble-driver.ts'
import { bindSinks } from '../../src/microbatch/bind-sinks.ts'
import { createDriver } from '../../src/microbatch/driver.ts'
import type { DriverParts } from '../../src/microbatch/driver-parts.ts'
import type { DriverEvent } from '../../src/microbatch/progress.ts'
import { availableNow } from '../../src/microbatch/triggers.ts'
import type { DatagenSourceNode, PipelinePlan } from '../../src/pipeline/plan.ts'
import type { MessagePublisher } from '../../src/sinks/message-publisher.ts'
import type { TableEncoderFactory } from '../../src/sinks/sink.ts'
import type { ObjectStore } from '../../src/storage/object-store.ts'
import { sinkFactory } from '../../src/wiring/sinks.ts'
import { lineEncoder } from './line-encoder.ts'
import { VirtualClock } from './virtual-clock.ts'

export interface RunOptions {
  readonly store: ObjectStore
  readonly seed: number
  readonly clock?: VirtualClock
  readonly settings?: Partial<DriverParts['settings']>
  readonly emit?: (event: DriverEvent) => void
  /** Takes what Kafka sinks send. */
  readonly publisher?: MessagePublisher
  /** Records to read instead of generated ones. */
  readonly input?: { readonly planner: SourcePlanner; readonly reader: SourceReader }
  readonly encoder?: TableEncoderFactory
}

/** The product's own driver over the generator and any store, without threads, under a virtual clock. */
export const composeTestDriver = async (plan: PipelinePlan, options: RunOptions) => {
  const { store, seed, clock = new VirtualClock() } = options
  const random = seededRandom(seed)
  const publisher = () => present(options.publisher, 'publisher')
  const node = plan.source as DatagenSourceNode
  const { planner: source, reader } = options.input ?? {
    planner: datagenPlanner(node, clock),
    reader: datagenReader(node),
  }
  const encoder = options.encoder ?? lineEncoder
  const runner = taskRunner({
    plan,
    reader,
    kernels: typescriptKernels,
    encoderFactory: encoder,
  })
  const parts = await assembleDriver({
    plan,
    source,
    store,
    sinks: bindSinks(
      plan,
      sinkFactory(plan, {
        stores: { root: store, named: () => store },
        random,
        publisher,
        write: () => undefined,
        consoleFormat: 'json',
        views: null,
      }),
    ),
    rate: RATE,
    kernels: typescriptKernels,
    encoder,
    clock,
    random,
    retainBatches: 100,
    checkpoint: 'continue',
    settings: { ...SETTINGS, ...options.settings },
    makeExecutor: () => Promise.resolve(inlineExecutor(runner)),
    emit: options.emit ?? (() => undefined),
  })
  return { driver: createDriver(parts), parts, clock }
}

const RATE = {
  enabled: true,
  initialRate: rowsPerSecond(100),
  minRate: rowsPerSecond(100),
  maxRate: rowsPerSecond(400),
  growth: 2,
  proportional: 1,
  integral: 0.2,
  derivative: 0,
  maxBatchBytes: 1e9,
  maxOutputBytes: 1e9,
}

const SETTINGS: DriverParts['settings'] = {
  queryId: 'test',
  runId: 'run',
  trigger: availableNow({ flush: true }),
  targetIntervalMs: durationMs(1000),
  pollIntervalMs: durationMs(10),
  idleTimeoutMs: durationMs(30_000),
  truncationGraceMs: durationMs(30_000),
  maxBadRows: 0.1,
  maxBatches: null,
  resetOffsets: false,
  maxFileBytes: 1 << 20,
  maxOpenPartitions: 8,
}
