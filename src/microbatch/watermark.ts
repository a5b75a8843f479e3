import { AFTER_ALL_TIME, BEFORE_ALL_TIME, type DurationMs, type EpochMs, epochMs } from '../base/units.ts'

/** What the watermark needs to know of one partition. */
export interface PartitionClock {
  /** Greatest event time seen, `null` before the first row. */
  readonly maxEventTime: EpochMs | null
  /** Whether the partition has been without rows for so long that the others need not wait for it. */
  readonly idle: boolean
}

/**
 * The watermark of a branch: the least over its partitions of the greatest event time seen there minus `delay`, so that
 * draining a backlog in any order makes no row late. Idle partitions don't hold it back; where all are idle, the
 * furthest counts (it would be the last to fall idle). It never moves back.
 */
export const advanceWatermark = (
  previous: EpochMs,
  partitions: readonly PartitionClock[],
  delay: DurationMs,
): EpochMs => {
  const active = partitions.filter(partition => !partition.idle)
  const reached =
    active.length > 0
      ? active.reduce((least, partition) => Math.min(least, partition.maxEventTime ?? BEFORE_ALL_TIME), Infinity)
      : partitions.reduce((most, partition) => Math.max(most, partition.maxEventTime ?? BEFORE_ALL_TIME), -Infinity)
  if (!Number.isFinite(reached) || reached <= BEFORE_ALL_TIME) return previous
  return epochMs(Math.min(AFTER_ALL_TIME, Math.max(previous, reached - delay)))
}

/**
 * A partition is idle when nothing waits in it and no row came from it for `idleTimeout`. One with lag never is,
 * however long the pipeline was away.
 */
export const isIdle = (lag: number, lastRowsAt: EpochMs, now: EpochMs, idleTimeout: DurationMs): boolean =>
  lag === 0 && now - lastRowsAt >= idleTimeout
