/**
 * Every error that Millrace throws on purpose: a closed set of codes, each with the exit code of the
 * command line and whether the same call may succeed when it is repeated.
 */

/** Exit codes of the command line. */
export const EXIT = { ok: 0, failed: 1, usage: 2, fenced: 3, dataLost: 4, badRows: 5 } as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

interface ErrorKind {
  readonly exit: ExitCode
  readonly retriable: boolean
}

const kind = (exit: ExitCode, retriable = false): ErrorKind => ({ exit, retriable })

export const ERROR_KINDS = {
  // what the user wrote
  INVALID_PIPELINE: kind(EXIT.usage),
  INVALID_SCHEMA: kind(EXIT.usage),
  INVALID_CONFIG: kind(EXIT.usage),
  INVALID_USAGE: kind(EXIT.usage),
  PIPELINE_NOT_LOADABLE: kind(EXIT.usage),
  // the source
  BROKER_UNREACHABLE: kind(EXIT.failed, true),
  BROKER_TIMEOUT: kind(EXIT.failed, true),
  BROKER_ERROR: kind(EXIT.failed),
  UNSUPPORTED_BROKER: kind(EXIT.failed),
  LEADER_CHANGED: kind(EXIT.failed, true),
  UNKNOWN_TOPIC: kind(EXIT.failed),
  TOPIC_RECREATED: kind(EXIT.dataLost),
  DATA_LOST: kind(EXIT.dataLost),
  CORRUPT_RECORD_BATCH: kind(EXIT.failed),
  UNSUPPORTED_RECORD_FORMAT: kind(EXIT.failed),
  RECORD_TOO_LARGE: kind(EXIT.failed),
  LANDED_FILE_MISSING: kind(EXIT.failed),
  LANDED_FILE_DAMAGED: kind(EXIT.failed),
  // rows and stages
  STAGE_FAILED: kind(EXIT.failed),
  TOO_MANY_BAD_ROWS: kind(EXIT.badRows),
  INTEGER_OVERFLOW: kind(EXIT.failed),
  // executor
  TASK_FAILED: kind(EXIT.failed),
  ENCODING_FAILED: kind(EXIT.failed),
  WORKER_LOST: kind(EXIT.failed, true),
  // storage and checkpoint
  STORE_FAILED: kind(EXIT.failed, true),
  STORE_MISCONFIGURED: kind(EXIT.usage),
  STORE_NOT_ATOMIC: kind(EXIT.usage),
  STORE_UNSAFE_KEY: kind(EXIT.usage),
  STAGED_OBJECT_LOST: kind(EXIT.failed),
  CHECKPOINT_DAMAGED: kind(EXIT.failed),
  CHECKPOINT_FORMAT_NEWER: kind(EXIT.failed),
  CHECKPOINT_OF_OTHER_PIPELINE: kind(EXIT.usage),
  PLAN_CHANGED: kind(EXIT.usage),
  FENCED: kind(EXIT.fenced),
  // the service
  LISTEN_FAILED: kind(EXIT.failed, true),
  PROBE_TIMEOUT: kind(EXIT.failed, true),
  // Redis: the stream goes on without it
  REDIS_UNAVAILABLE: kind(EXIT.failed, true),
  REDIS_REFUSED: kind(EXIT.failed, true),
  REDIS_WRONG_TYPE: kind(EXIT.failed),
  VIEW_CONFLICT: kind(EXIT.failed),
  // the simulator
  PROMISE_BROKEN: kind(EXIT.failed),
  // batch jobs
  BATCH_LOG_DAMAGED: kind(EXIT.failed),
  HOURS_CLAIMED: kind(EXIT.failed),
  HOURS_FAILED: kind(EXIT.failed),
  // the engine itself
  KERNELS_NOT_LOADABLE: kind(EXIT.failed),
  ABORTED: kind(EXIT.ok),
  BUG: kind(EXIT.failed),
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof ERROR_KINDS

/** What an error was about, as plain values for logs and `--json`; never secrets. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null>>

export interface ErrorOptions {
  /** What the reader of this error should do next: one sentence, imperative. */
  readonly remedy: string
  readonly cause?: unknown
  readonly details?: ErrorDetails
}

/** The one error class of Millrace. Tell errors apart by `code`. */
export class MillraceError extends Error {
  override readonly name = 'MillraceError'
  readonly code: ErrorCode
  readonly remedy: string
  readonly details: ErrorDetails

  constructor(code: ErrorCode, message: string, options: ErrorOptions) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.code = code
    this.remedy = options.remedy
    this.details = options.details ?? {}
  }

  /** Whether the same call may succeed when it is simply repeated. */
  get retriable(): boolean {
    return ERROR_KINDS[this.code].retriable
  }

  get exitCode(): ExitCode {
    return ERROR_KINDS[this.code].exit
  }
}

/** The plain form of an error that crosses a thread boundary or is printed with `--json`. */
export interface ErrorRecord {
  readonly code: ErrorCode
  readonly message: string
  readonly remedy: string
  readonly details: ErrorDetails
  readonly stack?: string
}

/** The plain form of an error; one that is not ours counts as a defect of Millrace. */
export const toErrorRecord = (error: unknown): ErrorRecord => {
  const known = asMillraceError(error)
  return {
    code: known.code,
    message: known.message,
    remedy: known.remedy,
    details: known.details,
    ...(known.stack === undefined ? {} : { stack: known.stack }),
  }
}

/** The error that a plain form was made from, with its stack. */
export const fromErrorRecord = (record: ErrorRecord): MillraceError => {
  const error = new MillraceError(record.code, record.message, { remedy: record.remedy, details: record.details })
  if (record.stack !== undefined) error.stack = record.stack
  return error
}

/** Wraps what some library threw; an error of ours passes through unchanged. */
export const asMillraceError = (error: unknown): MillraceError => {
  if (error instanceof MillraceError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new MillraceError('BUG', message, {
    remedy: 'This is a defect in Millrace; please report it with the stack trace.',
    cause: error,
  })
}
