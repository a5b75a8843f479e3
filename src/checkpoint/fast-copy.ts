import type { CommitEntry } from './entries.ts'

/** Who runs a pipeline, for people and for `status`. */
export interface DriverPresence {
  readonly epoch: number
  readonly host: string
  readonly pid: number
  /** Since when, ISO 8601. */
  readonly since: string
}

/**
 * What is kept of a pipeline where it can be read quickly: the newest commit's offsets, and a lease that says which
 * driver runs. All of it is a hint: the checkpoint decides, and a driver runs on when the hint can't be kept.
 */
export interface FastCopy {
  /**
   * Takes the lease and keeps it alive, until `close` or until a higher epoch takes it.
   * @returns the driver that held it and is not known to have ended; it will be fenced by the checkpoint
   */
  begin(driver: DriverPresence): Promise<DriverPresence | null>
  /** Told of each commit; remembers only the newest and returns at once. Never throws. */
  committed(entry: CommitEntry): void
  /** Writes the newest commit if it can be done in a moment, and gives the lease back. */
  close(): Promise<void>
}

/** What a fast copy says of a pipeline. */
export interface FastCopyState {
  /** `null` where nothing is there. */
  readonly committed: { readonly batchId: number; readonly epoch: number; readonly committedAt: string } | null
  /** The driver that holds the lease; `null` where none does. */
  readonly driver: DriverPresence | null
}
