import type { MillraceError } from '../base/errors.ts'
import type { PartitionBounds } from '../ingest/source.ts'

/** What a running pipeline stands on, asked beside the driver: it may be busy, or wait for an answer itself. */
export interface Probe {
  /** Asks the source for its bounds. @throws what the source throws */
  source(): Promise<readonly PartitionBounds[]>
  /** Asks the store whether the driver still owns the pipeline. @throws FENCED, STORE_FAILED */
  store(): Promise<void>
  close(): Promise<void>
}

/** Who is asked. */
export type ProbeTarget = 'source' | 'store'

/** How a question was answered; `error` is `null` where all is well. */
export interface ProbeOutcome {
  readonly error: MillraceError | null
  readonly tookMs: number
}
