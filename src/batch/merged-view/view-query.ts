import { present } from '../../base/assert.ts'
import { MillraceError } from '../../base/errors.ts'
import { HOUR_MS, hourOf, type TimeRange } from '../../base/hours.ts'
import { nearestName } from '../../base/nearest-name.ts'
import { type EpochMs, epochMs } from '../../base/units.ts'
import { type Field, fieldIndex } from '../../columnar/schema.ts'
import { type BranchPlan, type RedisViewSinkNode, WINDOW_START } from '../../pipeline/plan.ts'
import { keyPart } from '../../sinks/view/view-values.ts'

/** A view of a pipeline with the branch that feeds it. */
export interface ServedView {
  readonly node: RedisViewSinkNode
  readonly branch: BranchPlan
  /** Key columns in their order. */
  readonly key: readonly Field[]
  /** Length of its windows, `null` where its rows are not told apart by windows. */
  readonly windowMs: number | null
}

/** What is asked of a view. */
export interface ViewQuery {
  /** Parts of the key without the window's start, as keys hold them; `null` for all. */
  readonly key: readonly string[] | null
  /** Windows that start in here; `null` where none is given: the open hours. */
  readonly from: EpochMs | null
  readonly until: EpochMs | null
  /** Only so many groups, those with the greatest values, each summed up over the range; `null` for rows as they are. */
  readonly top: number | null
}

const PARAMETERS = ['key', 'from', 'to', 'top']
const MAX_HOURS = 31 * 24
const MAX_TOP = 10_000
const MAX_KEY_LENGTH = 1000

const invalid = (message: string, remedy: string): MillraceError =>
  new MillraceError('INVALID_USAGE', message, { remedy })

/** The view with what a query needs to know of it. */
export const servedView = (node: RedisViewSinkNode, branch: BranchPlan): ServedView => ({
  node,
  branch,
  key: node.key.map(name => present(branch.output.fields[fieldIndex(branch.output, name)], name)),
  windowMs: node.key.includes(WINDOW_START) ? (branch.aggregation?.window?.sizeMs ?? null) : null,
})

/** Reads the parameters `key` (once for each key column), `from`, `to` (exclusive) and `top`. @throws INVALID_USAGE */
export const readViewQuery = (view: ServedView, query: URLSearchParams): ViewQuery => {
  for (const name of query.keys()) {
    if (PARAMETERS.includes(name)) continue
    const nearest = nearestName(name, PARAMETERS)
    throw invalid(
      `there is no parameter ${JSON.stringify(name.slice(0, 40))}`,
      nearest === null ? `Use ${PARAMETERS.join(', ')}.` : `Did you mean ${nearest}?`,
    )
  }
  const [from, until] = [timeOf(query, 'from'), timeOf(query, 'to')]
  if ((from !== null || until !== null) && view.windowMs === null) {
    throw invalid(`the view ${view.node.name} has no windows to choose from`, 'Leave from and to out.')
  }
  if (from !== null && until !== null) requireRange({ from, until })
  return { key: keyOf(view, query.getAll('key')), from, until, top: topOf(view, only(query, 'top')) }
}

/** @throws INVALID_USAGE where it is empty or too long */
export const requireRange = ({ from, until }: TimeRange): void => {
  if (until <= from) throw invalid('from is not before to', 'Give a from that is earlier than to, which is exclusive.')
  const hours = (hourOf(until + HOUR_MS - 1) - hourOf(from)) / HOUR_MS
  if (hours > MAX_HOURS) throw invalid(`${hours} hours are too many`, `Ask for at most ${MAX_HOURS} hours at once.`)
}

const only = (query: URLSearchParams, name: string): string | null => {
  const given = query.getAll(name)
  if (given.length > 1) throw invalid(`${name} is given ${given.length} times`, `Give ${name} once.`)
  return given[0] ?? null
}

const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}(?::\d{2}(?::\d{2}(?:\.\d{1,3})?)?)?Z?$/

const timeOf = (query: URLSearchParams, name: string): EpochMs | null => {
  const text = only(query, name)
  if (text === null) return null
  const utc = text.replace(/Z$/, '')
  const time = ISO.test(text) ? Date.parse(`${utc.length === 13 ? `${utc}:00` : utc}Z`) : Number.NaN
  // the 30th of February would otherwise be the 2nd of March
  if (!Number.isNaN(time) && new Date(time).toISOString().startsWith(utc.slice(0, 13))) return epochMs(time)
  throw invalid(
    `${name} is not a time: ${JSON.stringify(text.slice(0, 40))}`,
    'Write UTC: 2026-01-15T10 or 2026-01-15T10:30:00Z.',
  )
}

const topOf = ({ node, branch, windowMs }: ServedView, text: string | null): number | null => {
  if (text === null) return null
  const top = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (top < 1 || top > MAX_TOP)
    throw invalid(`top can't be ${JSON.stringify(text.slice(0, 40))}`, `Use 1 to ${MAX_TOP}.`)
  if (node.top === null) {
    throw invalid(
      `the view ${node.name} is not ranked`,
      "Give it a ranking: redisView(name, { top: { by: 'plays', n: 10 } }).",
    )
  }
  const lost = branch.aggregation?.aggregates.find(({ fn }) => fn === 'avg')
  if (windowMs !== null && (lost !== undefined || branch.resultStages.length > 0)) {
    const what = lost === undefined ? 'what later stages made' : `the average ${lost.as}`
    throw invalid(`${what} can't be put together over windows`, 'Ask without top, or keep sums and counts in the view.')
  }
  return top
}

const keyOf = ({ key, node }: ServedView, given: readonly string[]): readonly string[] | null => {
  if (given.length === 0) return null
  const asked = key.filter(({ name }) => name !== WINDOW_START)
  if (given.length !== asked.length) {
    const names = asked.map(({ name }) => name).join(', ')
    throw invalid(
      `the key of ${node.name} has ${asked.length} parts, not ${given.length}`,
      `Give key once for each of: ${names}.`,
    )
  }
  if (given.some(part => part.length > MAX_KEY_LENGTH))
    throw invalid('a key is too long', `Use up to ${MAX_KEY_LENGTH} characters.`)
  return asked.map(({ type }, at) => (type === 'string' ? keyPart(type, given[at]) : (given[at] as string)))
}
