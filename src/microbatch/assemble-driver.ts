import { type RateOptions, rateController } from '../backpressure/rate-controller.ts'
import type { Random } from '../base/random.ts'
import { openCheckpoint } from '../checkpoint/checkpoint-store.ts'
import type { Executor } from '../executor/task.ts'
import { planShape } from '../pipeline/shape.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import type { DriverParts } from './driver-parts.ts'
import { RareWarnings } from './rare-warnings.ts'

/** What a driver is assembled from: ports in, no technology, so that a simulation assembles the very same driver. */
export interface DriverPorts
  extends Pick<
    DriverParts,
    'plan' | 'source' | 'sinks' | 'kernels' | 'encoder' | 'clock' | 'settings' | 'committed' | 'emit'
  > {
  /** Where the checkpoint lies. */
  readonly store: ObjectStore
  readonly random: Random
  readonly rate: RateOptions
  readonly retainBatches: number
  /** `new` begins a checkpoint beside the old one. */
  readonly checkpoint: 'continue' | 'new'
  /** Called before the checkpoint is opened: worker threads start meanwhile. Closed again for a pipeline that is refused. */
  readonly makeExecutor: () => Promise<Executor>
}

/**
 * Opens the pipeline's checkpoint, which fences every driver before, and puts a driver's parts together; the rate goes on
 * from what was learned. @throws what opening the checkpoint throws, and what the source throws
 */
export const assembleDriver = async (ports: DriverPorts): Promise<DriverParts> => {
  const { plan, source, sinks, kernels, encoder, clock, settings, emit, store, random } = ports
  // begun first, so that worker threads start while the checkpoint is read
  const starting = ports.makeExecutor()
  // awaited below; until then a failure must not count as unhandled
  starting.catch(() => undefined)
  try {
    const checkpoint = await openCheckpoint({
      store,
      pipeline: plan.name,
      sourceIdentity: await source.identity(),
      shape: planShape(plan),
      clock,
      random,
      retainBatches: ports.retainBatches,
      mode: ports.checkpoint,
    })
    const { commit } = await checkpoint.recover()
    const executor = await starting
    const rate = rateController(ports.rate, commit?.rate ?? null)
    const committed = ports.committed === undefined ? {} : { committed: ports.committed }
    const warnings = new RareWarnings(clock, emit)
    const given = { plan, source, sinks, kernels, encoder, clock, settings, emit }
    return { ...given, executor, checkpoint, rate, warnings, ...committed }
  } catch (error) {
    // what it failed with is the second reason at most
    const executor = await starting.catch(() => null)
    await executor?.close()
    throw error
  }
}
