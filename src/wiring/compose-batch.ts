import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { MillraceError } from '../base/errors.ts'
import type { TimeRange } from '../base/hours.ts'
import { epochMs } from '../base/units.ts'
import type { BatchEvent, BatchParts } from '../batch/batch-parts.ts'
import { batchPlan } from '../batch/batch-plan.ts'
import type { Claimant } from '../batch/claims.ts'
import type { BatchSource } from '../batch/hour-record.ts'
import { typescriptKernels } from '../columnar/typescript/index.ts'
import type { Executor } from '../executor/task.ts'
import type { OffsetRange } from '../ingest/offset-range.ts'
import { partitionKey } from '../ingest/offset-range.ts'
import type { SourcePlanner } from '../ingest/source.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import { emptyParquet, parquetEncoder } from '../sinks/parquet/index.ts'
import type { Config } from './config/config.ts'
import { kafkaSettings, makeExecutor } from './executors.ts'
import { makePlanner } from './sources.ts'
import { openStores, storeLocation } from './stores.ts'
import { systemClock, systemRandom } from './system.ts'

/** What batch jobs are composed from. */
export interface BatchComposition {
  readonly plan: PipelinePlan
  readonly artifact: URL | null
  readonly config: Config
  readonly source: BatchSource
  /** Hours that may be under way at once; they share the workers. */
  readonly maxActive: number
  readonly emit: (event: BatchEvent) => void
}

export interface ComposedBatch {
  readonly parts: BatchParts
  readonly claimant: Claimant
  /** Starts the workers of one hour; called once for each hour that may be under way. */
  readonly makeLane: () => Promise<Executor>
  readonly close: () => Promise<void>
}

/** @throws INVALID_PIPELINE where the pipeline has nothing that batch jobs compute; what the store throws */
export const composeBatch = async (composition: BatchComposition): Promise<ComposedBatch> => {
  const { plan, artifact, config, source, maxActive, emit } = composition
  const batch = batchPlan(plan)
  if (batch.branches.length === 0) throw nothingToCompute(plan.name, batch.skipped)
  const stores = await openStores(config, batch.landed?.store ? [batch.landed.store] : [])
  const planner = source === 'kafka' ? kafkaPlanner(composition) : null
  const runId = randomUUID()
  const limits = { maxFileBytes: config.batch.maxFileBytes, maxOpenPartitions: config.parquet.maxOpenPartitions }
  const lanes: Executor[] = []
  return {
    claimant: { runId, host: hostname(), pid: process.pid },
    parts: {
      batch,
      source,
      store: stores.root,
      landedStore: stores.named(batch.landed?.store ?? null),
      recordedWithin: planner === null ? null : range => offsetsWithin(planner, range, config.batch.kafkaSlack),
      kernels: typescriptKernels,
      encoder: parquetEncoder(typescriptKernels),
      emptyFile: emptyParquet,
      clock: systemClock,
      random: systemRandom,
      settings: {
        runId,
        splits: { maxSplitBytes: config.batch.maxSplitBytes, openCostBytes: OPEN_COST_BYTES },
        maxSplitRows: MAX_SPLIT_ROWS,
        limits,
        maxBadRows: config.maxBadRows,
      },
      emit,
    },
    makeLane: async () => {
      const workers = Math.max(1, Math.floor(config.workers / maxActive))
      const lane = await makeExecutor({
        plan,
        artifact,
        config: { ...config, parquet: limits },
        workers,
        batch: { landedStore: storeLocation(config, batch.landed?.store ?? null) },
        emit,
      })
      lanes.push(lane)
      return lane
    },
    close: async () => {
      await Promise.all(lanes.map(lane => lane.close()))
      await planner?.close()
    },
  }
}

/** Spark's `openCostInBytes` is 4 MB for files on a network; ours are small, many and near. */
const OPEN_COST_BYTES = 65_536
/** About 64 MiB of events. */
const MAX_SPLIT_ROWS = 250_000

const kafkaPlanner = ({ plan, config, emit }: BatchComposition): SourcePlanner | null =>
  plan.source.kind !== 'kafka'
    ? null
    : makePlanner(plan.source, {
        pipeline: plan.name,
        clock: systemClock,
        random: systemRandom,
        kafka: kafkaSettings(config),
        onWarning: message => emit({ kind: 'warning', code: 'SOURCE', message }),
      })

/** Records whose timestamp lies in the range, or so far beside it as an event may be recorded before or after its time. */
const offsetsWithin = async (
  planner: SourcePlanner,
  { from, until }: TimeRange,
  slackMs: number,
): Promise<readonly OffsetRange[]> => {
  if (planner.offsetsAt === undefined) return []
  const [starts, ends] = [
    await planner.offsetsAt(epochMs(from - slackMs)),
    await planner.offsetsAt(epochMs(until + slackMs)),
  ]
  const endOf = new Map(ends.map(end => [partitionKey(end), end.offset]))
  return starts.flatMap(({ topic, partition, offset }) => {
    const end = endOf.get(partitionKey({ topic, partition })) ?? offset
    return end > offset ? [{ topic, partition, from: offset, until: end }] : []
  })
}

const nothingToCompute = (pipeline: string, skipped: readonly { readonly branch: string; readonly why: string }[]) =>
  new MillraceError('INVALID_PIPELINE', `${pipeline} has nothing that can be computed by the hour`, {
    remedy: `Give it a branch over windows that writes a table. ${skipped.map(({ branch, why }) => `${branch}: ${why}`).join('; ')}.`,
  })

/** Whether a claimant is a process of this machine that is not there any more. */
export const hasEnded = ({ host, pid }: Claimant): boolean => {
  if (host !== hostname() || pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
