import type { Clock } from '../base/clock.ts'
import { asMillraceError, EXIT, type MillraceError } from '../base/errors.ts'
import { formatHour, type TimeRange } from '../base/hours.ts'
import { type EpochMs, epochMs } from '../base/units.ts'
import { type HourSource, inOrder, rangeOf, sourcesOf, topGroups } from '../batch/merged-view/merge-view.ts'
import type { ViewLayers } from '../batch/merged-view/view-layers.ts'
import {
  readViewQuery,
  requireRange,
  type ServedView,
  servedView,
  type ViewQuery,
} from '../batch/merged-view/view-query.ts'
import type { Field } from '../columnar/schema.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { ReadRow } from '../sinks/view/read-row.ts'
import type { ViewState } from '../sinks/view/view-state.ts'
import { rowText } from '../sinks/view/view-values.ts'
import { jsonReply, type Reply, type Route } from './routes.ts'

/** Rows of one answer, and rows that a ranking may be made from. */
const MAX_ROWS = 10_000
const MAX_RANKED_ROWS = 500_000
/** Requests that are answered at once: each may hold a good many rows. */
const MAX_AT_ONCE = 4

/**
 * `/views/` lists the views of a pipeline, `/views/<name>?key=&from=&to=&top=` answers from both layers: closed hours from
 * their batch results, open ones from the live view, each with how fresh it is.
 */
export const viewRoutes = (plan: PipelinePlan, layers: ViewLayers, clock: Clock): readonly Route[] => {
  const views = plan.branches.flatMap(branch =>
    branch.sinks.flatMap(sink => (sink.kind === 'redisView' ? [servedView(sink, branch)] : [])),
  )
  const answering = { requests: 0 }
  const list = (): Reply => jsonReply(200, { pipeline: plan.name, views: views.map(({ node }) => node.name) })
  return [
    { path: '/views', open: false, handle: list },
    {
      path: '/views/',
      open: false,
      handle: async ({ path, query }) => {
        const view = views.find(({ node }) => path === `/views/${node.name}`)
        if (view === undefined)
          return jsonReply(404, { error: { message: 'there is no such view', remedy: 'GET /views' } })
        if (answering.requests >= MAX_AT_ONCE) return busy
        answering.requests += 1
        try {
          return await answer(plan, view, layers, readViewQuery(view, query), clock)
        } catch (error) {
          return refused(asMillraceError(error))
        } finally {
          answering.requests -= 1
        }
      },
    },
  ]
}

const busy: Reply = {
  ...jsonReply(503, { error: { message: 'too many requests at once' } }),
  headers: { 'retry-after': '1' },
}

/** What is wrong with the request is 400; what the layers lack now is 503; a defect goes on to the server. */
const refused = (error: MillraceError): Reply => {
  if (error.code === 'BUG') throw error
  const { code, message, remedy } = error
  return jsonReply(error.exitCode === EXIT.usage ? 400 : 503, { error: { code, message, remedy } })
}

/** The live view as far as it could be asked. */
interface Live {
  readonly state: ViewState | null
  readonly watermark: EpochMs | null
  readonly error: MillraceError | null
}

const answer = async (
  plan: PipelinePlan,
  view: ServedView,
  layers: ViewLayers,
  query: ViewQuery,
  clock: Clock,
): Promise<Reply> => {
  const live = await askLive(view, layers)
  const [newestBatch, merged] = await Promise.all([
    layers.newestBatch().catch(() => null),
    view.windowMs === null
      ? withoutWindows(view, layers, query, live)
      : overHours(view, layers, query, rangeOf(view, query, live.watermark, clock.nowMs()), live),
  ])
  const { range, hours, rows } = merged
  const shown = query.top === null ? inOrder(rows) : topGroups(view, rows, query.top)
  const head = {
    view: view.node.name,
    pipeline: plan.name,
    ...(range === null ? {} : { from: isoTime(range.from), to: isoTime(range.until) }),
    complete: isComplete(hours, live),
    hours: hours.map(hourJson),
    live: liveJson(live, newestBatch),
  }
  const fields = view.branch.output.fields
  const body = `${JSON.stringify(head).slice(0, -1)},"rows":[${shown.map(row => rowJson(fields, row)).join(',')}]}\n`
  return { ...jsonReply(200, null), body }
}

/** Whether every hour has its rows, and the live view, where it is needed, is whole. */
const isComplete = (hours: readonly HourSource[], { state }: Live): boolean => {
  const needsLive = hours.length === 0 || hours.some(({ source }) => source === 'live')
  return hours.every(({ source }) => source !== 'none') && (!needsLive || state?.status === 'live')
}

interface Merged {
  readonly range: TimeRange | null
  readonly hours: readonly HourSource[]
  readonly rows: readonly ReadRow[]
}

const askLive = async (view: ServedView, layers: ViewLayers): Promise<Live> => {
  try {
    const state = await layers.liveState(view)
    const watermark = state === null || state.watermark === '' ? null : epochMs(Date.parse(state.watermark))
    return { state, watermark, error: null }
  } catch (error) {
    return { state: null, watermark: null, error: asMillraceError(error) }
  }
}

const withoutWindows = async (view: ServedView, layers: ViewLayers, query: ViewQuery, live: Live): Promise<Merged> => {
  if (live.error !== null) throw live.error
  const limit = query.top === null ? MAX_ROWS : MAX_RANKED_ROWS
  const wanted = { range: null, key: query.key, limit }
  return { range: null, hours: [], rows: live.state === null ? [] : await layers.liveRows(view, null, wanted) }
}

const overHours = async (
  view: ServedView,
  layers: ViewLayers,
  query: ViewQuery,
  range: TimeRange,
  live: Live,
): Promise<Merged> => {
  requireRange(range)
  const limit = query.top === null ? MAX_ROWS : MAX_RANKED_ROWS
  const { table } = view.node
  const closed = table === null ? [] : await layers.closedHours(table, range)
  const hours = sourcesOf(range, closed, live.state === null ? null : live)
  const of = (source: HourSource['source']) => hours.filter(each => each.source === source).map(({ hour }) => hour)
  const [batchHours, liveHours] = [of('batch'), of('live')]
  const wanted = { range, key: query.key, limit }
  const results = closed.filter(({ hour }) => batchHours.includes(hour))
  const fromBatch = await layers.batchRows(view, results, wanted)
  const left = { ...wanted, limit: limit - fromBatch.length }
  const fromLive = liveHours.length === 0 ? [] : await layers.liveRows(view, liveHours, left)
  return { range, hours, rows: [...fromBatch, ...fromLive] }
}

const isoTime = (time: EpochMs): string => new Date(time).toISOString()

const hourJson = (each: HourSource) => {
  const hour = formatHour(each.hour)
  if (each.source !== 'batch') return { hour, source: each.source }
  return { hour, source: each.source, generation: each.generation, computedAt: isoTime(each.computedAt) }
}

const liveJson = ({ state, error }: Live, newestBatch: number | null) => {
  if (error !== null) return { status: 'away', error: { code: error.code, message: error.message } }
  if (state === null) return { status: 'missing' }
  const { status, batch, committedAt, appliedAt, watermark, rows } = state
  return { status, batch, newestBatch, committedAt, appliedAt, watermark: watermark === '' ? null : watermark, rows }
}

const rowJson = (fields: readonly Field[], row: ReadRow): string =>
  rowText(
    'json',
    fields.filter(({ name }) => row[name] !== undefined),
    row,
  )
