import { BEFORE_ALL_TIME, type EpochMs, epochMs } from '../base/units.ts'
import type { ColumnBatch } from '../columnar/column-batch.ts'
import { compact, concat } from '../columnar/gather.ts'
import type { GroupTable } from '../columnar/group-table.ts'
import type { Kernels } from '../columnar/kernels.ts'
import type { TableSchema } from '../columnar/schema.ts'
import type { AggregationNode } from '../pipeline/plan.ts'
import { taskInput, taskSpec } from './aggregation.ts'
import { decodeStateChange, encodeStateChange } from './state-change.ts'
import { splitByWindow, withWindowEnd } from './window-columns.ts'

/** Partial aggregates by the start of their window. */
type Windows = readonly (readonly [EpochMs, ColumnBatch])[]

/** Stands for the one window of groups over all time; it never closes. */
const ALL_TIME: EpochMs = BEFORE_ALL_TIME
const NEVER: EpochMs = epochMs(Infinity)

/**
 * The open windows of one branch and their groups: one table per window, so that closing a window drops a table and
 * touches no other row. The driver owns it; tasks only hand in partial aggregates.
 *
 * What goes to the state log are the partials themselves. Merging them again in their order gives the same state to
 * the last bit, and their number follows the groups that a batch touched, not all that there are.
 */
export class AggregationState {
  readonly #aggregation: AggregationNode
  readonly #kernels: Kernels
  readonly #partialSchema: TableSchema
  /** By start of window. */
  readonly #tables = new Map<EpochMs, GroupTable>()
  #folded: { readonly partials: ColumnBatch; readonly byWindow: Windows }[] = []
  #closed: EpochMs[] = []

  constructor(kernels: Kernels, aggregation: AggregationNode) {
    this.#kernels = kernels
    this.#aggregation = aggregation
    this.#partialSchema = this.#newTable().partialSchema
  }

  /** Groups over all open windows. */
  get groups(): number {
    return this.#sum(table => table.groups)
  }

  /** About how many bytes the state holds in memory. */
  get byteSize(): number {
    return this.#sum(table => table.byteSize)
  }

  get openWindows(): number {
    return this.#tables.size
  }

  /** Folds the partial aggregates of one task in. */
  fold(partials: ColumnBatch): void {
    const byWindow = this.#byWindow(partials)
    this.#merge(byWindow)
    this.#folded.push({ partials, byWindow })
  }

  /** Whether some open window ends at or before `watermark`. */
  canClose(watermark: EpochMs): boolean {
    return this.#starts().some(start => this.#endOf(start) <= watermark)
  }

  /** End of the last open window; `null` where none is open or groups have no window. */
  lastWindowEnd(): EpochMs | null {
    const last = this.#starts().at(-1)
    return last === undefined || this.#aggregation.window === null ? null : this.#endOf(last)
  }

  /** Finished results of the groups touched since the last call, window by window. */
  takeUpdates(): ColumnBatch {
    return this.#finish(this.#starts().map(start => this.#table(start).takeChanged()))
  }

  /** Removes the windows that end at or before `watermark` and gives their finished results, in order of window. */
  close(watermark: EpochMs): ColumnBatch {
    const closing = this.#starts().filter(start => this.#endOf(start) <= watermark)
    const results = this.#finish(closing.map(start => this.#table(start).all()))
    for (const start of closing) this.#drop(start)
    this.#closed.push(...closing)
    return results
  }

  /** What changed since the last call, encoded for the state log; `null` where nothing did. */
  takeChange(): Uint8Array | null {
    const open = this.#folded.flatMap(({ partials, byWindow }) => {
      const kept = byWindow.filter(([start]) => this.#tables.has(start))
      // as they came where no window was closed: the order of windows does not matter
      return kept.length === byWindow.length ? [partials] : kept.map(([, part]) => compact(part))
    })
    const closed = this.#closed
    this.#folded = []
    this.#closed = []
    if (closed.length === 0 && open.length === 0) return null
    return encodeStateChange({ closed, groups: concat(this.#partialSchema, open) })
  }

  /** The whole state, encoded like a change to an empty one. */
  snapshot(): Uint8Array {
    const all = this.#starts().map(start => this.#table(start).all())
    return encodeStateChange({ closed: [], groups: concat(this.#partialSchema, all) })
  }

  /**
   * Puts several changes, in their order, into one that does the same. Groups of windows that a later change closes are left
   * out; others stay side by side, so that sums of floats keep their order. @throws CHECKPOINT_DAMAGED
   */
  mergeChanges(encoded: readonly Uint8Array[]): Uint8Array {
    const closed = new Set<EpochMs>()
    const groups: ColumnBatch[] = []
    for (const bytes of encoded.toReversed()) {
      const change = decodeStateChange(bytes, this.#partialSchema)
      for (const start of change.closed) closed.add(start)
      const open = this.#byWindow(change.groups).filter(([start]) => !closed.has(start))
      groups.unshift(...open.map(([, part]) => compact(part)))
    }
    return encodeStateChange({ closed: [...closed], groups: concat(this.#partialSchema, groups) })
  }

  /** Applies what `snapshot` or `takeChange` encoded, in their order. @throws CHECKPOINT_DAMAGED */
  restore(bytes: Uint8Array): void {
    const { closed, groups } = decodeStateChange(bytes, this.#partialSchema)
    this.#merge(this.#byWindow(groups))
    for (const start of closed) this.#drop(start)
    for (const table of this.#tables.values()) table.takeChanged()
  }

  #merge(byWindow: Windows): void {
    for (const [start, part] of byWindow) this.#table(start).merge(part)
  }

  #finish(partials: readonly ColumnBatch[]): ColumnBatch {
    const finished = this.#newTable().finish(concat(this.#partialSchema, partials))
    return withWindowEnd(finished, this.#aggregation)
  }

  #byWindow(partials: ColumnBatch): Windows {
    if (partials.length === 0) return []
    return this.#aggregation.window === null ? [[ALL_TIME, partials]] : splitByWindow(partials)
  }

  #newTable(): GroupTable {
    return this.#kernels.groupTable(taskInput(this.#aggregation), taskSpec(this.#aggregation))
  }

  #table(start: EpochMs): GroupTable {
    const known = this.#tables.get(start) ?? this.#newTable()
    this.#tables.set(start, known)
    return known
  }

  #drop(start: EpochMs): void {
    this.#tables.get(start)?.dispose()
    this.#tables.delete(start)
  }

  #starts(): readonly EpochMs[] {
    return [...this.#tables.keys()].toSorted((a, b) => a - b)
  }

  #endOf(start: EpochMs): EpochMs {
    return this.#aggregation.window === null ? NEVER : epochMs(start + this.#aggregation.window.sizeMs)
  }

  #sum(of: (table: GroupTable) => number): number {
    let total = 0
    for (const table of this.#tables.values()) total += of(table)
    return total
  }
}

/** One state for each branch that aggregates, `null` for the others. */
export const statesOf = (
  kernels: Kernels,
  branches: readonly { readonly aggregation: AggregationNode | null }[],
): readonly (AggregationState | null)[] =>
  branches.map(({ aggregation }) => (aggregation === null ? null : new AggregationState(kernels, aggregation)))
