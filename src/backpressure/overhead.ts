import type { JsonValue } from '../base/json.ts'
import { type DurationMs, durationMs } from '../base/units.ts'

/** Batches that the regression looks at. */
const WINDOW = 16
/** Batches must differ by this factor in rows before a line through them says anything. */
const LEAST_SPREAD = 1.5
/** Weight of a new estimate against the old one. */
const WEIGHT = 0.3

interface Point {
  readonly rows: number
  readonly ms: number
}

/**
 * Tells the fixed cost of a batch (planning, logging, opening files) from the cost per row: least squares of processing
 * time over rows, across the last batches. Without it, a rate computed as rows over time sinks towards the floor as soon
 * as batches are short: each smaller batch looks slower than the one before.
 */
export class OverheadEstimator {
  #points: Point[]
  #overheadMs: number

  constructor(snapshot: OverheadSnapshot | null = null) {
    this.#points = [...(snapshot?.points ?? [])]
    this.#overheadMs = snapshot?.overheadMs ?? 0
  }

  get overheadMs(): DurationMs {
    return durationMs(this.#overheadMs)
  }

  /** Takes in a batch of `rows` that took `ms`. */
  observe(rows: number, ms: number): void {
    if (rows > 0 && this.#costChanged(rows, ms)) this.#points = []
    this.#points.push({ rows, ms })
    if (this.#points.length > WINDOW) this.#points.shift()
    const estimate = this.#regress()
    if (estimate !== null) this.#overheadMs += WEIGHT * (estimate - this.#overheadMs)
    // no batch is faster than its overhead
    this.#overheadMs = Math.min(this.#overheadMs, ms)
  }

  snapshot(): OverheadSnapshot {
    return { overheadMs: this.#overheadMs, points: this.#points }
  }

  /** Whether the cost per row is so different from before that older batches say nothing about it any more. */
  #costChanged(rows: number, ms: number): boolean {
    const before = this.#points.filter(point => point.rows > 0)
    if (before.length === 0) return false
    const cost = (point: Point): number => Math.max(0, point.ms - this.#overheadMs) / point.rows
    const mean = before.reduce((sum, point) => sum + cost(point), 0) / before.length
    const now = cost({ rows, ms })
    return now > 3 * mean || now < mean / 3
  }

  /** Intercept of the least-squares line, between 0 and the fastest batch; `null` where the batches are too alike. */
  #regress(): number | null {
    const points = this.#points
    const rows = points.map(point => point.rows)
    if (points.length < 3 || Math.max(...rows) < LEAST_SPREAD * Math.max(1, Math.min(...rows))) return null
    const meanRows = rows.reduce((sum, each) => sum + each, 0) / points.length
    const meanMs = points.reduce((sum, point) => sum + point.ms, 0) / points.length
    const covariance = points.reduce((sum, point) => sum + (point.rows - meanRows) * (point.ms - meanMs), 0)
    const variance = rows.reduce((sum, each) => sum + (each - meanRows) ** 2, 0)
    const slope = covariance / variance
    if (!(slope > 0)) return null
    return Math.min(Math.max(0, meanMs - slope * meanRows), ...points.map(point => point.ms))
  }
}

/** What is kept over a restart. */
export interface OverheadSnapshot {
  readonly overheadMs: number
  readonly points: readonly Point[]
}

/** Reads a snapshot from a checkpoint; anything else starts from nothing. */
export const readOverheadSnapshot = (value: JsonValue | undefined): OverheadSnapshot | null => {
  const fields = value as Partial<OverheadSnapshot> | null | undefined
  if (typeof fields?.overheadMs !== 'number' || !Array.isArray(fields.points)) return null
  const points = (fields.points as readonly Partial<Point>[]).filter(
    (point): point is Point => typeof point.rows === 'number' && typeof point.ms === 'number',
  )
  return { overheadMs: fields.overheadMs, points: points.slice(-WINDOW) }
}
