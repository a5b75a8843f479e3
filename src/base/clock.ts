import type { DurationMs, EpochMs } from './units.ts'

/**
 * Time as the product sees it. Nothing outside adapters reads a clock or sets a timer itself, so that
 * a simulation can run the same code under a clock of its own.
 */
export interface Clock {
  /** Wall-clock time; may jump. */
  nowMs(): EpochMs
  /** Time since an arbitrary moment; never goes back. Use it for durations. */
  monotonicMs(): DurationMs
  /** Resolves after `delay`, or rejects with ABORTED as soon as `signal` is aborted. */
  sleep(delay: DurationMs, signal?: AbortSignal): Promise<void>
}
