import { MillraceError } from './errors.ts'

/** The error of work whose signal was aborted. */
export const aborted = (what: string): MillraceError =>
  new MillraceError('ABORTED', `${what} was stopped`, { remedy: 'Nothing to do: it was stopped on purpose.' })

/** `work`, or ABORTED as soon as `signal` is aborted; nobody waits for `work` then. @param what for the message */
export const abortable = <Value>(work: Promise<Value>, signal: AbortSignal, what: string): Promise<Value> =>
  new Promise((resolve, reject) => {
    const onAbort = (): void => reject(aborted(what))
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
