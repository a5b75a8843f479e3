import type { TimeRange } from '../../base/hours.ts'
import type { EpochMs } from '../../base/units.ts'
import type { ReadRow } from '../../sinks/view/read-row.ts'
import type { ViewState } from '../../sinks/view/view-state.ts'
import type { ClosedHour } from './merge-view.ts'
import type { ServedView } from './view-query.ts'

/** What is wanted of a layer. */
export interface WantedRows {
  /** Windows that start in here; `null` for rows without windows. */
  readonly range: TimeRange | null
  /** As in `ViewQuery`. */
  readonly key: readonly string[] | null
  /** More rows than this are refused. */
  readonly limit: number
}

/**
 * The two layers of a merged view. Errors: those of Redis and of the store, and INVALID_USAGE where too much is asked for.
 */
export interface ViewLayers {
  /** How far the live view is; `null` where there is none. */
  liveState(view: ServedView): Promise<ViewState | null>
  /** Rows of windows that start in these hours; `null` for rows without windows. */
  liveRows(view: ServedView, hours: readonly EpochMs[] | null, wanted: WantedRows): Promise<readonly ReadRow[]>
  /** Hours of a range that have a batch result. */
  closedHours(table: string, range: TimeRange): Promise<readonly ClosedHour[]>
  batchRows(view: ServedView, hours: readonly ClosedHour[], wanted: WantedRows): Promise<readonly ReadRow[]>
  /** The newest committed batch, as far as it is known without asking the store; `null` where it is not. */
  newestBatch(): Promise<number | null>
}
