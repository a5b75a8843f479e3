import { MillraceError } from '../../base/errors.ts'

/** `promise`, or ABORTED as soon as `signal` is aborted. */
export const abortable = async <Value>(promise: Promise<Value>, signal: AbortSignal, what: string): Promise<Value> => {
  if (signal.aborted) throw aborted(what)
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(aborted(what))
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

const aborted = (what: string): MillraceError =>
  new MillraceError('ABORTED', `reading ${what} was interrupted`, { remedy: 'Nothing: a stop was asked for.' })
