import type { JsonValue } from '../base/json.ts'
import { type DurationMs, durationMs } from '../base/units.ts'

/** Times of like batches scatter by about this share (standard deviation). */
const SCATTER = 0.1
/** From batch to batch the cost of a row drifts by about this share, and the overhead by this share of the batch's time. */
const COST_DRIFT = 0.03
const OVERHEAD_DRIFT = 0.005
/** Before anything is known the overhead is taken for 0, give or take this share of the first batch's time. */
const FIRST_DOUBT = 0.5
/** A batch so many standard deviations off means that rows cost something else by now. */
const SURPRISE = 3
/** Clocks tell no less apart. */
const LEAST_MS = 0.01
/** Part of a batch's time that its rows take at least, as far as anybody believes. */
const LEAST_WORK = 0.01

/**
 * What a batch costs: `overheadMs + costMs · rows`. The doubts are variances and a covariance, in units of the two.
 */
interface Belief {
  readonly overheadMs: number
  readonly costMs: number
  readonly overheadDoubt: number
  readonly costDoubt: number
  readonly jointDoubt: number
}

/**
 * Tells the fixed cost of a batch (planning, logging, opening files) from the cost per row. Without it, a rate computed as
 * rows over time sinks towards the floor as soon as overhead nears the interval: each smaller batch looks slower than
 * the one before.
 *
 * A Kalman filter (Kalman 1960) over the two numbers, one measurement per batch. It knows that times scatter in proportion,
 * so a small batch says more about overhead than a large one; and that a batch that is far from what was expected means
 * that the cost per row has changed, not the overhead.
 */
export class OverheadEstimator {
  #belief: Belief | null

  constructor(snapshot: OverheadSnapshot | null = null) {
    this.#belief = snapshot
  }

  get overheadMs(): DurationMs {
    return durationMs(this.#belief?.overheadMs ?? 0)
  }

  /** Takes in a batch of `rows`, at least one, that took `ms`. */
  observe(rows: number, measuredMs: number): void {
    const ms = Math.max(measuredMs, LEAST_MS)
    const belief = this.#belief
    this.#belief = belief === null ? firstBelief(rows, ms) : corrected(drifted(belief, rows, ms), rows, ms)
  }

  snapshot(): OverheadSnapshot | null {
    return this.#belief
  }
}

const firstBelief = (rows: number, ms: number): Belief => {
  const overheadDoubt = (FIRST_DOUBT * ms) ** 2
  const costDoubt = overheadDoubt / rows ** 2 + (SCATTER * (ms / rows)) ** 2
  // what is not overhead is cost
  return { overheadMs: 0, costMs: ms / rows, overheadDoubt, costDoubt, jointDoubt: -overheadDoubt / rows }
}

/** The belief grown older by a batch; where the batch is a surprise, the cost per row is anybody's guess. */
const drifted = (belief: Belief, rows: number, ms: number): Belief => {
  const { overheadMs, costMs, overheadDoubt, costDoubt } = belief
  const expected = overheadMs + costMs * rows
  const grown = {
    ...belief,
    overheadDoubt: overheadDoubt + (OVERHEAD_DRIFT * expected) ** 2,
    costDoubt: costDoubt + (COST_DRIFT * costMs) ** 2,
  }
  const surprise = ms - expected
  if (Math.abs(surprise) <= SURPRISE * Math.sqrt(doubtOf(grown, rows, Math.min(ms, expected)))) return grown
  return { ...grown, costDoubt: grown.costDoubt + (surprise / rows) ** 2 }
}

/** Variance of the difference between a measured and an expected time. */
const doubtOf = ({ overheadDoubt, costDoubt, jointDoubt }: Belief, rows: number, ms: number): number =>
  Math.max(0, overheadDoubt + 2 * rows * jointDoubt + rows ** 2 * costDoubt) + (SCATTER * ms) ** 2

/** The belief after a batch: Kalman's gain for each of the two numbers, kept within what can be. */
const corrected = (belief: Belief, rows: number, ms: number): Belief => {
  const { overheadMs, costMs, overheadDoubt, costDoubt, jointDoubt } = belief
  const expected = overheadMs + costMs * rows
  const doubt = doubtOf(belief, rows, expected)
  const overheadGain = (overheadDoubt + rows * jointDoubt) / doubt
  const costGain = (jointDoubt + rows * costDoubt) / doubt
  const surprise = ms - expected
  return {
    overheadMs: Math.min(Math.max(0, overheadMs + overheadGain * surprise), ms),
    costMs: Math.max(costMs + costGain * surprise, (LEAST_WORK * ms) / rows),
    overheadDoubt: Math.max(0, overheadDoubt - overheadGain ** 2 * doubt),
    costDoubt: Math.max(0, costDoubt - costGain ** 2 * doubt),
    jointDoubt: jointDoubt - overheadGain * costGain * doubt,
  }
}

/** What is kept over a restart. */
export type OverheadSnapshot = Belief

const FIELDS = ['overheadMs', 'costMs', 'overheadDoubt', 'costDoubt', 'jointDoubt'] as const

/** Reads a snapshot from a checkpoint; anything else starts from nothing. */
export const readOverheadSnapshot = (value: JsonValue | undefined): OverheadSnapshot | null => {
  const fields = value as Partial<OverheadSnapshot> | null | undefined
  return fields !== null && fields !== undefined && FIELDS.every(name => Number.isFinite(fields[name]))
    ? (fields as OverheadSnapshot)
    : null
}
