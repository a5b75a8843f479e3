import { asMillraceError, ERROR_KINDS, type ErrorCode, EXIT, MillraceError } from '../base/errors.ts'
import type { OffsetRange } from '../ingest/offset-range.ts'
import type { Task } from './task.ts'

/** A task fails for good after so many attempts, as Spark's `spark.task.maxFailures` (there 4). */
export const DEFAULT_MAX_FAILURES = 3

/**
 * Whether another attempt could end otherwise. As in Spark nearly everything is tried again, also a lambda that threw
 * (it may depend on something outside). Not so where the cause lies in what was asked for or in the data as a
 * whole: usage errors, lost data, too many bad rows, a fenced driver, and what was aborted on purpose.
 */
export const isWorthRetrying = (code: ErrorCode): boolean =>
  ERROR_KINDS[code].exit === EXIT.failed || ERROR_KINDS[code].retriable

/** How a task is named in messages: `task 3 (plays/0 offsets 100 to 199)`. */
export const describeTask = ({ index, split }: Task): string => {
  const parts = 'ranges' in split ? split.ranges.map(describeRange) : split.objects.map(({ key }) => key)
  const [first = 'nothing to read'] = parts
  return `task ${index} (${first}${parts.length > 1 ? ` and ${parts.length - 1} more` : ''})`
}

const describeRange = ({ topic, partition, from, until }: OffsetRange): string =>
  `${topic}/${partition} offsets ${from} to ${until - 1}`

/** The error that ends a run after the last attempt: names the task and repeats what its last attempt said. */
export const taskFailed = (task: Task, attempts: number, error: unknown): MillraceError => {
  const cause = asMillraceError(error)
  if (!isWorthRetrying(cause.code)) return cause
  const message = `${describeTask(task)} failed ${attempts} times, the last time with ${cause.code}: ${cause.message}`
  return new MillraceError('TASK_FAILED', message, {
    remedy: cause.remedy,
    cause,
    details: { ...cause.details, code: cause.code, task: task.index, attempts },
  })
}
