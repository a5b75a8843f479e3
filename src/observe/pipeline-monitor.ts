import type { DurationMs, EpochMs } from '../base/units.ts'
import { addLedgers, type BatchLedger, emptyLedger } from '../executor/batch-ledger.ts'
import type { PartitionBounds } from '../ingest/source.ts'
import type { OffsetsByPartition, QueryProgress } from '../microbatch/progress.ts'
import type { Observed } from './driver-metrics.ts'
import { type EndsAt, LagTracker, type OffsetAt, type PartitionLag } from './lag-tracker.ts'
import type { ProbeOutcome, ProbeTarget } from './probe.ts'

/** Where a driver is in its life. */
export type DriverPhase = 'starting' | 'running' | 'stopping' | 'stopped' | 'failed'

/** Everything that is known of a pipeline at one moment, for health, metrics and people. */
export interface Vitals {
  readonly now: EpochMs
  readonly phase: DriverPhase
  /** Code of what stopped the driver, `null` while nothing did. */
  readonly failure: string | null
  readonly epoch: number | null
  readonly startedAt: EpochMs | null
  readonly lag: readonly PartitionLag[]
  readonly lagRows: number
  /** The longest wait of any partition's oldest row. */
  readonly lagAge: DurationMs
  /** How far the watermark is behind the clock; `null` before the first row of a window. */
  readonly watermarkLagMs: number | null
  readonly lastBatchAt: EpochMs | null
  /** Where the rows went since this driver started. */
  readonly ledger: BatchLedger
  readonly probes: Readonly<Partial<Record<ProbeTarget, ProbeOutcome>>>
  /** The last batches, oldest first. */
  readonly recent: readonly QueryProgress[]
  readonly warnings: readonly WarningAt[]
}

export interface WarningAt {
  readonly at: EpochMs
  readonly code: string
  readonly message: string
}

const REMEMBERED_BATCHES = 20
const REMEMBERED_WARNINGS = 10

/** Puts together what a driver tells and what probes find. Time is handed in. */
export class PipelineMonitor {
  readonly #lag = new LagTracker()
  readonly #recent: QueryProgress[] = []
  readonly #warnings: WarningAt[] = []
  readonly #probes: Partial<Record<ProbeTarget, ProbeOutcome>> = {}
  #phase: DriverPhase = 'starting'
  #failure: string | null = null
  #epoch: number | null = null
  #startedAt: EpochMs | null = null
  #lastBatchAt: EpochMs | null = null
  #ledger = emptyLedger
  #bounds: readonly EndsAt[] = []

  observe(event: Observed, now: EpochMs): void {
    switch (event.kind) {
      case 'started':
        this.#epoch = event.epoch
        this.#startedAt ??= now
        if (this.#phase === 'starting') this.#phase = 'running'
        this.#lag.resumed(event.partitions.map(({ lastRowsAt, ...position }) => ({ ...position, at: lastRowsAt })))
        this.#lag.ends(this.#bounds)
        break
      case 'progress':
        this.#progressed(event.progress, now)
        break
      case 'warning':
        keep(this.#warnings, { at: now, code: event.code, message: event.message }, REMEMBERED_WARNINGS)
        break
      case 'hourPublished':
        break
      case 'terminated':
        this.#phase = 'stopped'
        break
      case 'failed':
        this.#phase = 'failed'
        this.#failure = event.code
        break
      default:
        event satisfies never
    }
  }

  /** A stop was asked for: not ready from here on. */
  stopping(): void {
    if (this.#phase === 'starting' || this.#phase === 'running') this.#phase = 'stopping'
  }

  probed(target: ProbeTarget, outcome: ProbeOutcome): void {
    this.#probes[target] = outcome
  }

  /** What a probe of the source found at `at`. */
  bounds(bounds: readonly PartitionBounds[], at: EpochMs): void {
    this.#bounds = bounds.map(({ topic, partition, earliest, latest }) => ({ topic, partition, earliest, latest, at }))
    // before that it is not known where reading goes on, and all that a topic holds would count as lag
    if (this.#epoch !== null) this.#lag.ends(this.#bounds)
  }

  vitals(now: EpochMs): Vitals {
    const lag = this.#lag.lag(now)
    const watermark = this.#recent.at(-1)?.eventTime.watermark ?? null
    return {
      now,
      phase: this.#phase,
      failure: this.#failure,
      epoch: this.#epoch,
      startedAt: this.#startedAt,
      lag,
      lagRows: lag.reduce((sum, { rows }) => sum + rows, 0),
      lagAge: lag.reduce<DurationMs>((most, { age }) => (age > most ? age : most), 0 as DurationMs),
      watermarkLagMs: watermark === null ? null : now - Date.parse(watermark),
      lastBatchAt: this.#lastBatchAt,
      ledger: this.#ledger,
      probes: { ...this.#probes },
      recent: [...this.#recent],
      warnings: [...this.#warnings],
    }
  }

  #progressed(progress: QueryProgress, now: EpochMs): void {
    keep(this.#recent, progress, REMEMBERED_BATCHES)
    this.#lastBatchAt = now
    this.#ledger = addLedgers(this.#ledger, progress.ledger)
    const seenAt = (Date.parse(progress.timestamp) + progress.schedulingDelay) as EpochMs
    for (const { endOffset, latestOffset } of progress.sources) {
      this.#lag.committed(positions(endOffset, now))
      this.#lag.ends(
        positions(latestOffset, seenAt).map(({ offset, ...rest }) => ({ ...rest, latest: offset, earliest: null })),
      )
    }
  }
}

const positions = (offsets: OffsetsByPartition, at: EpochMs): readonly OffsetAt[] =>
  Object.entries(offsets).flatMap(([topic, partitions]) =>
    Object.entries(partitions).map(([partition, offset]) => ({ topic, partition: Number(partition), offset, at })),
  )

const keep = <T>(list: T[], item: T, most: number): void => {
  list.push(item)
  if (list.length > most) list.shift()
}
