import { ERROR_KINDS, type ErrorCode, MillraceError } from '../../base/errors.ts'

interface BuildMessage {
  readonly text: string
  readonly location: { readonly file: string; readonly line: number; readonly column: number } | null
}

/** What esbuild reported, as one error that names file and line of the first problem. */
export const asNotLoadable = (entry: string, error: unknown): MillraceError => {
  const messages = buildMessages(error)
  const [first] = messages
  if (first === undefined) return notLoadable(entry, error instanceof Error ? error.message : String(error), error)
  const { location } = first
  const where = location === null ? entry : `${location.file}:${location.line}:${location.column + 1}`
  const more = messages.length === 1 ? '' : ` (and ${messages.length - 1} more)`
  return new MillraceError('PIPELINE_NOT_LOADABLE', `${where}: ${first.text}${more}`, {
    remedy: 'Correct the pipeline file; packages that it imports must be installed beside it.',
    cause: error,
    details: { file: entry, ...(location === null ? {} : { line: location.line, column: location.column + 1 }) },
  })
}

/** What a pipeline file threw while it was evaluated. An error of Millrace's own (a wrong pipeline) passes through. */
export const asEvaluationError = (artifact: URL, error: unknown): MillraceError => {
  if (error instanceof MillraceError || isForeignMillraceError(error)) return error
  const at = error instanceof Error ? /\n\s+at (.*:\d+:\d+\)?)/.exec(error.stack ?? '')?.[1] : undefined
  const message = error instanceof Error ? error.message : String(error)
  return notLoadable(artifact.href, at === undefined ? message : `${message} (at ${at})`, error)
}

const notLoadable = (file: string, message: string, cause: unknown): MillraceError =>
  new MillraceError('PIPELINE_NOT_LOADABLE', `${file} can't be loaded: ${message}`, {
    remedy: 'Correct the pipeline file; it must import without side effects that can fail.',
    cause,
    details: { file },
  })

/** An error of another copy of Millrace (bundled into the test's or the user's program): the same in all but identity. */
const isForeignMillraceError = (error: unknown): error is MillraceError =>
  error instanceof Error &&
  error.name === 'MillraceError' &&
  'code' in error &&
  (error.code as ErrorCode) in ERROR_KINDS

const buildMessages = (error: unknown): readonly BuildMessage[] =>
  typeof error === 'object' && error !== null && 'errors' in error && Array.isArray(error.errors)
    ? (error.errors as readonly BuildMessage[])
    : []
