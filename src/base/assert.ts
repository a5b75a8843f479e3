import { MillraceError } from './errors.ts'

const REPORT = 'This is a defect in Millrace; please report it with the stack trace.'

/** States what must be true if Millrace has no defect; stays on in production. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new MillraceError('BUG', `assertion failed: ${message}`, { remedy: REPORT })
}

/** Unwraps what cannot be missing if Millrace has no defect (a lookup that was checked before). */
export function present<T>(value: T | undefined | null, what: string): T {
  assert(value !== undefined && value !== null, `${what} is missing`)
  return value
}

/** Closes a `switch` over a tagged union: a new variant becomes a compile error here. */
export function assertNever(value: never): never {
  throw new MillraceError('BUG', `unexpected variant: ${JSON.stringify(value)}`, { remedy: REPORT })
}
