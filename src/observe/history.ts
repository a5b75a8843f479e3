import type { EpochMs } from '../base/units.ts'
import type { Vitals } from './pipeline-monitor.ts'

/** A pipeline's numbers at one moment; `null` where there is none. */
export interface HistoryPoint {
  readonly at: EpochMs
  /** Rows committed per second since the point before. */
  readonly rowsPerSecond: number
  readonly rateLimit: number | null
  readonly lagRows: number
  readonly lagSeconds: number
  readonly batchSeconds: number | null
  readonly schedulingSeconds: number | null
  readonly watermarkLagSeconds: number | null
  readonly residentBytes: number
}

/** Counts that only grow, read at one moment. */
export interface Totals {
  readonly rows: number
  readonly residentBytes: number
}

/** The last points, taken at even intervals: what the page draws without any database. */
export class History {
  readonly #most: number
  readonly #points: HistoryPoint[] = []
  #last: { readonly at: EpochMs; readonly rows: number } | null = null

  constructor(most: number) {
    this.#most = most
  }

  get points(): readonly HistoryPoint[] {
    return [...this.#points]
  }

  record(vitals: Vitals, { rows, residentBytes }: Totals): void {
    const { now, recent, lagRows, lagAge, watermarkLagMs } = vitals
    const batch = recent.at(-1)
    const elapsedMs = this.#last === null ? 0 : now - this.#last.at
    this.#points.push({
      at: now,
      rowsPerSecond: elapsedMs > 0 ? ((rows - (this.#last?.rows ?? 0)) * 1000) / elapsedMs : 0,
      rateLimit: batch?.backpressure.rowsPerSecond ?? null,
      lagRows,
      lagSeconds: lagAge / 1000,
      batchSeconds: batch === undefined ? null : batch.batchDuration / 1000,
      schedulingSeconds: batch === undefined ? null : batch.schedulingDelay / 1000,
      watermarkLagSeconds: watermarkLagMs === null ? null : watermarkLagMs / 1000,
      residentBytes,
    })
    if (this.#points.length > this.#most) this.#points.shift()
    this.#last = { at: now, rows }
  }
}
