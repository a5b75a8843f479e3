import { MillraceError } from '../base/errors.ts'

/** The auditor saw what must never be. Ends a simulated run. */
export const brokenPromise = (what: string): MillraceError =>
  new MillraceError('PROMISE_BROKEN', what, {
    remedy: 'Replay the seed and read its trace: the first line that should not be there names the culprit.',
  })
