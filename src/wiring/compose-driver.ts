import { durationMs, rowsPerSecond } from '../base/units.ts'
import { typescriptKernels } from '../columnar/typescript/index.ts'
import { assembleDriver } from '../microbatch/assemble-driver.ts'
import { bindSinks } from '../microbatch/bind-sinks.ts'
import type { DriverParts, DriverSettings } from '../microbatch/driver-parts.ts'
import type { DriverEvent } from '../microbatch/progress.ts'
import { defaultTrigger, processingTime, type Trigger } from '../microbatch/triggers.ts'
import type { Probe } from '../observe/probe.ts'
import type { KafkaSinkNode, PipelinePlan } from '../pipeline/plan.ts'
import { kafkaPublisher } from '../sinks/kafka/kafka-publisher.ts'
import type { MessagePublisher } from '../sinks/message-publisher.ts'
import { parquetEncoder } from '../sinks/parquet/index.ts'
import type { Config } from './config/config.ts'
import { kafkaSettings, makeExecutor } from './executors.ts'
import { makeProbe } from './probe.ts'
import { checkViews, composeRedis } from './redis.ts'
import { checkSinks, sinkFactory, storeNames } from './sinks.ts'
import { makePlanner } from './sources.ts'
import type { StartOptions } from './start.ts'
import { openStores } from './stores.ts'
import { systemClock, systemRandom } from './system.ts'

/** What a driver is composed from. */
export interface Composition {
  readonly plan: PipelinePlan
  /** The module that worker threads load the plan from; `null` runs tasks in this thread. */
  readonly artifact: URL | null
  readonly config: Config
  readonly options: StartOptions
  readonly runId: string
  readonly emit: (event: DriverEvent) => void
}

/** The parts of a driver over real technology, and how to close them. */
export interface Composed {
  readonly parts: DriverParts
  /** Identifies the checkpoint. */
  readonly id: string
  readonly probe: Probe
  readonly close: () => Promise<void>
}

/** @throws INVALID_PIPELINE, what the source and the store throw, and what opening the checkpoint throws */
export const composeDriver = async (composition: Composition): Promise<Composed> => {
  const { plan, config, options, emit } = composition
  checkSinks(plan)
  checkViews(plan, config)
  const stores = await openStores(config, storeNames(plan))
  const store = stores.root
  const redis = await composeRedis(plan, config, emit)
  const surroundings = {
    pipeline: plan.name,
    clock: systemClock,
    random: systemRandom,
    kafka: kafkaSettings(config),
    onWarning: (message: string) => emit({ kind: 'warning', code: 'SOURCE', message }),
  }
  const source = makePlanner(plan.source, surroundings)
  const closePorts = async (): Promise<void> => {
    await redis?.close()
    await source.close()
  }
  try {
    const sinks = sinkFactory(plan, {
      stores,
      random: systemRandom,
      publisher: node => makePublisher(node, config),
      write: options.write ?? (text => void process.stdout.write(text)),
      consoleFormat: options.consoleFormat ?? 'table',
      views: redis?.views ?? null,
    })
    const parts = await assembleDriver({
      plan,
      source,
      store,
      sinks: bindSinks(plan, sinks),
      rate: rateOptions(config),
      kernels: typescriptKernels,
      encoder: parquetEncoder(typescriptKernels),
      clock: systemClock,
      random: systemRandom,
      retainBatches: config.checkpoint.retainBatches,
      checkpoint: options.checkpoint ?? 'continue',
      settings: driverSettings(composition),
      makeExecutor: () => makeExecutor({ ...composition, workers: config.workers, batch: null }),
      ...(redis === null ? {} : { committed: entry => redis.fastCopy.committed(entry) }),
      emit,
    })
    await redis?.begin(parts.checkpoint.epoch)
    const ownSource = plan.source.kind === 'datagen' ? null : () => makePlanner(plan.source, surroundings)
    const probe = makeProbe(parts, ownSource)
    const close = async (): Promise<void> => {
      await parts.executor.close()
      await probe.close()
      await Promise.all(parts.sinks.map(async ({ sink }) => sink.close?.()))
      await closePorts()
    }
    return { parts, id: `${store.location}/${plan.name}`, probe, close }
  } catch (error) {
    await closePorts()
    throw error
  }
}

const makePublisher = (node: KafkaSinkNode, { kafka }: Config): MessagePublisher =>
  kafkaPublisher({
    topic: node.topic,
    brokers: node.brokers ?? kafka.brokers,
    clientId: kafka.clientId,
    compression: node.compression,
    requestTimeoutMs: kafka.requestTimeout,
    deliveryTimeoutMs: kafka.deliveryTimeout,
    maxRequestBytes: kafka.maxRequestBytes,
    clock: systemClock,
    random: systemRandom,
  })

const rateOptions = ({ backpressure }: Config) => ({
  enabled: backpressure.enabled,
  initialRate: rowsPerSecond(backpressure.initialRate),
  minRate: rowsPerSecond(backpressure.minRate),
  maxRate: backpressure.maxRate === null ? null : rowsPerSecond(backpressure.maxRate),
  growth: backpressure.growth,
  proportional: backpressure.proportional,
  integral: backpressure.integral,
  derivative: backpressure.derivative,
  maxBatchBytes: backpressure.maxBatchBytes,
  maxOutputBytes: backpressure.maxOutputBytes,
})

const driverSettings = ({ plan, config, options, runId }: Composition): DriverSettings => ({
  queryId: plan.name,
  runId,
  trigger: options.trigger ?? configuredTrigger(config.trigger),
  targetIntervalMs: durationMs(config.backpressure.targetInterval),
  pollIntervalMs: durationMs(config.pollInterval),
  idleTimeoutMs: durationMs(config.watermark.idleTimeout),
  truncationGraceMs: durationMs(config.source.truncationGrace),
  maxBadRows: config.maxBadRows,
  maxBatches: options.maxBatches ?? null,
  resetOffsets: options.resetOffsets ?? false,
  maxFileBytes: config.parquet.maxFileBytes,
  maxOpenPartitions: config.parquet.maxOpenPartitions,
})

const configuredTrigger = (trigger: Config['trigger']): Trigger =>
  trigger === 'default' ? defaultTrigger : processingTime(trigger)
