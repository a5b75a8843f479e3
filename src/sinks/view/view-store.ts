import type { BatchId, DriverEpoch, EpochMs } from '../../base/units.ts'
import type { ColumnBatch } from '../../columnar/column-batch.ts'

/** A view as its store knows it. */
export interface ViewIdentity {
  readonly name: string
  readonly pipeline: string
  /** Names view and object store: a view of another owner is never touched. */
  readonly owner: string
  readonly format: 'hash' | 'json'
  readonly key: readonly string[]
  /** How many rows the top holds; 0 for none. */
  readonly top: number
}

/**
 * One step of bringing a view from one committed batch to a later one. A `whole` step does it at once; a longer way is
 * `begin`, `rows` as often as needed, for a rebuild `sweep` until nothing is left of the rows of before, and `finish`.
 * A step other than the first counts only while no other way was begun since (`token`), and only on top of the step before
 * it (`at`): a Redis that came back with what it held a moment ago has lost steps.
 */
export interface ViewStep {
  readonly phase: 'whole' | 'begin' | 'rows' | 'sweep' | 'finish'
  /** `delta`: rows that changed since the batch `after`. `rebuild`: all rows. */
  readonly kind: 'delta' | 'rebuild'
  readonly after: BatchId | null
  readonly batch: BatchId
  readonly log: string
  /** Epoch of the driver that publishes. */
  readonly epoch: DriverEpoch
  /**
   * Go on although the view says that the driver of this higher epoch wrote it, since the store says otherwise; `null` to
   * believe the view. What a driver of another epoch wrote meanwhile still holds.
   */
  readonly overruled: number | null
  readonly token: string
  /** Number of the step on its way, 0 for the first; a sweep has the number of the step before it. */
  readonly at: number
  readonly now: EpochMs
  readonly committedAt: EpochMs
  readonly watermark: EpochMs | null
  /** Dense rows of `VIEW_ROWS`; at most `MAX_STEP_ROWS`. */
  readonly rows: ColumnBatch
}

export type ViewAnswer =
  | { readonly kind: 'applied' }
  /** Of a sweep: so many rows of before are left. */
  | { readonly kind: 'left'; readonly rows: number }
  /** The view is at this batch or beyond it already. */
  | { readonly kind: 'already' }
  /** The view is not at the batch that was expected; `null` where it is at none of this log, or part of it is lost. */
  | { readonly kind: 'behind'; readonly batch: BatchId | null }
  /** A driver with a higher epoch has written it. */
  | { readonly kind: 'fenced'; readonly epoch: number }
  /** Another pipeline's view, or the same pipeline's over another store, has this name. */
  | { readonly kind: 'foreign'; readonly pipeline: string }

/**
 * Where views are served from. Each step is atomic, refuses what is older than what is there, and may be repeated.
 * Errors: those of `RedisConnection`; a step that failed may have been carried out.
 */
export interface ViewStore {
  /** Where, for people, without credentials. */
  readonly location: string
  apply(view: ViewIdentity, step: ViewStep): Promise<ViewAnswer>
}

/** Rows of one step: few enough that the store is not blocked for long. */
export const MAX_STEP_ROWS = 500
/** Rows of before that one sweep removes. */
export const SWEEP_ROWS = 500
