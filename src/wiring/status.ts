import { asMillraceError } from '../base/errors.ts'
import { BEFORE_ALL_TIME } from '../base/units.ts'
import { inspectCheckpoint } from '../checkpoint/checkpoint-store.ts'
import type { CommitEntry } from '../checkpoint/entries.ts'
import { type BatchLedger, countsTotal } from '../executor/batch-ledger.ts'
import { partitionKey } from '../ingest/offset-range.ts'
import type { PartitionBounds } from '../ingest/source.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { Config } from './config/config.ts'
import { kafkaSettings } from './executors.ts'
import { askRedis, type RedisStatus } from './redis.ts'
import { storeNames } from './sinks.ts'
import { makePlanner } from './sources.ts'
import { openStore, storeWarnings } from './stores.ts'
import { systemClock, systemRandom } from './system.ts'

/** What is known of a pipeline from its checkpoint and its source, without owning it. Plain JSON. */
export interface PipelineStatus {
  readonly pipeline: string
  readonly root: string
  readonly committed: { readonly batchId: number; readonly epoch: number; readonly committedAt: string } | null
  /** A batch that is planned and not committed: one in flight, or one that a crash left. */
  readonly openPlan: number | null
  readonly watermark: string | null
  readonly rowsPerSecond: number | null
  readonly rowsRead: number
  readonly badRows: number
  readonly partitions: readonly PartitionStatus[]
  /** Why the source could not be asked for its end, `null` where it answered. */
  readonly sourceError: string | null
  readonly recent: readonly RecentBatch[]
  /** What is dangerous about where things are kept. */
  readonly warnings: readonly string[]
  /** What Redis says beside it; `null` where none is configured. */
  readonly redis: RedisStatus | null
}

export interface PartitionStatus {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly latest: number | null
  readonly lag: number | null
}

export interface RecentBatch {
  readonly batchId: number
  readonly committedAt: string
  readonly rows: number
  /** Time since the commit before; `null` for the first that is shown. */
  readonly afterMs: number | null
}

/** @throws CHECKPOINT_DAMAGED, CHECKPOINT_FORMAT_NEWER, STORE_FAILED; a source that does not answer is no error */
export const statusOf = async (plan: PipelinePlan, config: Config): Promise<PipelineStatus> => {
  const store = await openStore(config)
  const point = await inspectCheckpoint(store, plan.name)
  const commit = point?.commit ?? null
  const { bounds, sourceError } = await askSource(plan, config)
  const totals = commit === null ? null : ledgersOf(commit).totals
  return {
    pipeline: plan.name,
    root: store.location,
    committed:
      commit === null ? null : { batchId: commit.batchId, epoch: commit.epoch, committedAt: iso(commit.committedAt) },
    openPlan: point?.openPlan?.batchId ?? null,
    watermark: commit === null ? null : leastWatermark(commit, plan),
    rowsPerSecond: rateOf(commit),
    rowsRead: totals?.read ?? 0,
    badRows: totals === null ? 0 : countsTotal(totals.bad),
    partitions: (commit?.partitions ?? []).map(({ topic, partition, offset }) => {
      const latest = bounds.find(bound => partitionKey(bound) === partitionKey({ topic, partition }))?.latest ?? null
      return { topic, partition, offset, latest, lag: latest === null ? null : Math.max(0, latest - offset) }
    }),
    sourceError,
    warnings: await storeWarnings(config, storeNames(plan)),
    redis: await askRedis(plan, config),
    recent: (point?.recent ?? []).map((each, at, all) => ({
      batchId: each.batchId,
      committedAt: iso(each.committedAt),
      rows: ledgersOf(each).batch.read,
      afterMs: at === 0 ? null : each.committedAt - (all[at - 1] as CommitEntry).committedAt,
    })),
  }
}

const iso = (time: number): string => new Date(time).toISOString()

const ledgersOf = (commit: CommitEntry) =>
  commit.ledger as unknown as { readonly batch: BatchLedger; readonly totals: BatchLedger }

const rateOf = (commit: CommitEntry | null): number | null => {
  const rate = (commit?.rate as { readonly rate?: unknown } | null | undefined)?.rate
  return typeof rate === 'number' ? rate : null
}

const leastWatermark = ({ watermarks }: CommitEntry, { branches }: PipelinePlan): string | null => {
  const windowed = watermarks.filter((_, at) => (branches[at]?.aggregation?.window ?? null) !== null)
  const least = Math.min(...windowed)
  return Number.isFinite(least) && least > BEFORE_ALL_TIME ? iso(least) : null
}

const askSource = async (plan: PipelinePlan, config: Config) => {
  // the generator's end is wherever its reader stands
  if (plan.source.kind === 'datagen') return { bounds: [] as readonly PartitionBounds[], sourceError: null }
  const planner = makePlanner(plan.source, {
    pipeline: plan.name,
    clock: systemClock,
    random: systemRandom,
    kafka: kafkaSettings(config),
    onWarning: () => undefined,
  })
  try {
    return { bounds: await planner.bounds(), sourceError: null }
  } catch (error) {
    return { bounds: [] as readonly PartitionBounds[], sourceError: asMillraceError(error).message }
  } finally {
    await planner.close()
  }
}
