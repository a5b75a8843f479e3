import { MillraceError } from '../../base/errors.ts'

/** Whether the file system answered with this code (`ENOENT`, `EEXIST` …). */
export const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code

const REMEDIES: Readonly<Record<string, string>> = {
  EACCES: 'Give the user that runs Millrace write access to that folder, or choose another with --root.',
  EPERM: 'Give the user that runs Millrace write access to that folder, or choose another with --root.',
  EROFS: 'The file system is read-only; choose another folder with --root.',
  ENOSPC: 'The disk is full; free some space and start again: nothing that was committed is lost.',
  EDQUOT: 'The quota is used up; free some space and start again: nothing that was committed is lost.',
  EMFILE: 'Too many files are open; raise the limit (ulimit -n).',
  ENOTDIR: 'A file lies where a folder is needed; move it away or choose another folder with --root.',
}

/** Wraps what the file system threw; errors of our own pass through. */
export const storeFailed = (what: string, location: string, cause: unknown): MillraceError => {
  if (cause instanceof MillraceError) return cause
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const message = cause instanceof Error ? cause.message : String(cause)
  return new MillraceError('STORE_FAILED', `could not ${what} in ${location}: ${message}`, {
    remedy: REMEDIES[code] ?? 'Look at the folder and its file system, then start again.',
    cause,
    details: { location, code },
  })
}
