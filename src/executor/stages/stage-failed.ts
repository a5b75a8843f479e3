import { MillraceError } from '../../base/errors.ts'
import type { ColumnBatch } from '../../columnar/column-batch.ts'

/** Where in a pipeline a row was when something went wrong. */
export interface StageName {
  readonly stage: string
  readonly branch: string
}

const REMEDY_LAMBDA =
  "Make the lambda accept this row, or set onError: 'deadLetter' for the stage so that such rows go to the dead letters."

/** The error for a row that a stage could not process, with the row's coordinates at the source. */
export const stageFailed = (
  where: StageName,
  batch: ColumnBatch,
  row: number,
  cause: unknown,
  remedy = cause instanceof MillraceError ? cause.remedy : REMEDY_LAMBDA,
): MillraceError => {
  const at = coordinates(batch, row)
  const reason = cause instanceof Error ? cause.message : String(cause)
  const place = at === null ? 'on an aggregated row' : `on ${at.topic}/${at.partition} offset ${at.offset}`
  return new MillraceError(
    'STAGE_FAILED',
    `stage ${where.stage} of branch ${where.branch} failed ${place}: ${reason}`,
    {
      remedy,
      cause,
      details: { stage: where.stage, branch: where.branch, ...at },
    },
  )
}

/** Topic, partition and offset of the record that a row was made from; `null` for rows made from many. */
const coordinates = ({ origin }: ColumnBatch, row: number) => {
  if (origin === null) return null
  const { records, recordOf } = origin
  return {
    topic: records.topic,
    partition: records.partition,
    offset: records.offsets[recordOf[row] as number] as number,
  }
}

/**
 * The error for a lambda that can't be right for any row (it is async, a filter does not answer true or false):
 * thrown whatever the stage's `onError` says. A promise is given a handler, so that its own failure stays quiet.
 */
export const wrongResult = (
  where: StageName,
  batch: ColumnBatch,
  row: number,
  result: unknown,
  expected: string,
): MillraceError => {
  if (isPromise(result)) {
    result.then(undefined, () => undefined)
    const message = `the lambda returned a Promise instead of ${expected}`
    return stageFailed(where, batch, row, new TypeError(message), 'Stages are synchronous: remove async and await.')
  }
  const message = `the lambda returned ${describe(result)} instead of ${expected}`
  return stageFailed(where, batch, row, new TypeError(message), `Return ${expected} for every row.`)
}

/** Whether a lambda gave a promise, which no stage waits for. */
export const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'

const describe = (value: unknown): string => {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40))
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object'
  if (typeof value === 'number' || typeof value === 'bigint') return `the number ${value}`
  return `a ${typeof value}`
}
