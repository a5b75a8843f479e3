import { formatCount, formatMs, formatShort } from '../../base/format.ts'
import type { HistoryPoint } from '../../observe/history.ts'
import type { Vitals } from '../../observe/pipeline-monitor.ts'
import type { Readiness } from '../../observe/readiness.ts'
import type { ServiceView } from '../service-view.ts'
import { drawChart } from './chart.ts'
import { escapeHtml, htmlTable } from './markup.ts'

const SHOWN_PARTITIONS = 16
const SHOWN_BATCHES = 12

/** The part of the page that changes: state, charts and tables of this moment. */
export const liveMarkup = (view: ServiceView): string => {
  const vitals = view.vitals()
  return [
    header(view, vitals, view.readiness()),
    tiles(vitals, view.history.points.at(-1)),
    `<section class="charts">${charts(view.history.points)}</section>`,
    '<section class="tables">',
    `<div><h2>Last batches</h2>${batches(vitals)}</div>`,
    `<div><h2>Partitions</h2>${partitions(vitals)}</div>`,
    `<div><h2>Rows since this driver started</h2>${ledger(vitals)}</div>`,
    vitals.warnings.length === 0 ? '' : `<div><h2>Warnings</h2>${warnings(vitals)}</div>`,
    '</section>',
  ].join('\n')
}

const header = (view: ServiceView, { phase }: Vitals, { ready, checks }: Readiness): string => {
  const pills = checks.map(
    ({ name, ok, detail }) =>
      `<li class="${ok ? 'good' : 'bad'}" title="${escapeHtml(detail)}">${name}: ${escapeHtml(detail)}</li>`,
  )
  const state = ready ? 'ready' : phase === 'running' ? 'not ready' : phase
  return `<header><h1>${escapeHtml(view.pipeline)}</h1><span class="state ${ready ? 'good' : 'bad'}">${state}</span><ul>${pills.join('')}</ul></header>`
}

const tile = (name: string, value: string): string => `<div><dt>${name}</dt><dd>${escapeHtml(value)}</dd></div>`

const tiles = (vitals: Vitals, point: HistoryPoint | undefined): string => {
  const batch = vitals.recent.at(-1)
  const limit = batch?.backpressure.rowsPerSecond ?? null
  return `<dl>${[
    tile('rows per second', formatShort(point?.rowsPerSecond ?? 0)),
    tile('rate limit', limit === null ? 'none' : `${formatShort(limit)}/s`),
    tile('rows waiting', formatShort(vitals.lagRows)),
    tile('oldest has waited', formatMs(vitals.lagAge)),
    tile('last batch took', batch === undefined ? 'none yet' : formatMs(batch.batchDuration)),
    tile('watermark behind', vitals.watermarkLagMs === null ? 'no window' : formatMs(vitals.watermarkLagMs)),
    tile('driver epoch', vitals.epoch === null ? 'none yet' : String(vitals.epoch)),
    tile('driver runs since', vitals.startedAt === null ? 'not yet' : formatMs(vitals.now - vitals.startedAt)),
  ].join('')}</dl>`
}

const inSeconds = (value: number): string => formatMs(value * 1000)

const charts = (points: readonly HistoryPoint[]): string => {
  const times = points.map(({ at }) => at)
  const of = (read: (point: HistoryPoint) => number | null): readonly (number | null)[] => points.map(read)
  const chart = (title: string, format: (value: number) => string, series: Parameters<typeof drawChart>[0]['series']) =>
    drawChart({ title, times, format, series })
  return [
    chart('Rows per second', formatShort, [
      { name: 'committed', values: of(point => point.rowsPerSecond) },
      { name: 'limit', values: of(point => point.rateLimit), bound: true },
    ]),
    chart('Rows waiting', formatShort, [{ name: 'lag', values: of(point => point.lagRows) }]),
    chart('Oldest row waiting', inSeconds, [{ name: 'lag', values: of(point => point.lagSeconds) }]),
    chart('Batch', inSeconds, [
      { name: 'total delay', values: of(point => point.batchSeconds) },
      { name: 'scheduling delay', values: of(point => point.schedulingSeconds) },
    ]),
    chart('Watermark behind the clock', inSeconds, [
      { name: 'behind', values: of(point => point.watermarkLagSeconds) },
    ]),
    chart('Memory', value => `${formatShort(value)} MiB`, [
      { name: 'resident', values: of(point => point.residentBytes / 1024 ** 2) },
    ]),
  ].join('\n')
}

const batches = ({ recent }: Vitals): string =>
  htmlTable(
    ['#batch', 'triggered', '#rows', '#total delay', '#scheduling', '#compute', '#prepare', '#commit', '#publish'],
    recent
      .slice(-SHOWN_BATCHES)
      .toReversed()
      .map(({ batchId, timestamp, numInputRows, batchDuration, schedulingDelay, durationMs: phase }) => [
        String(batchId),
        timestamp.slice(11, 23),
        formatCount(numInputRows),
        ...[
          batchDuration,
          schedulingDelay,
          phase.addBatch,
          phase.prepare,
          phase.walCommit + phase.commitOffsets,
          phase.publish,
        ].map(formatMs),
      ]),
  )

const partitions = ({ lag }: Vitals): string => {
  const worst = lag.toSorted((a, b) => b.age - a.age || b.rows - a.rows || a.partition - b.partition)
  const table = htmlTable(
    ['partition', '#rows waiting', '#oldest has waited'],
    worst
      .slice(0, SHOWN_PARTITIONS)
      .map(({ topic, partition, rows, age }) => [`${topic}/${partition}`, formatCount(rows), formatMs(age)]),
  )
  const more = lag.length - SHOWN_PARTITIONS
  return more > 0 ? `${table}<p>and ${formatCount(more)} more that wait less</p>` : table
}

const reasons = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([reason, rows]) => `${formatCount(rows)} ${reason}`)
    .join(', ')

const ledger = ({ ledger: { read, decoded, bad, stages }, recent }: Vitals): string => {
  const branches = [...new Set(recent.at(-1)?.sinks.map(({ branch }) => branch) ?? [])]
  return htmlTable(
    ['branch', 'stage', '#in', '#out', 'ended here'],
    [
      ['', 'decode', formatCount(read), formatCount(decoded), reasons(bad)],
      ...stages.flatMap((steps, branch) =>
        steps.map(({ stage, in: taken, out, dropped }) => [
          branches[branch] ?? String(branch),
          stage,
          formatCount(taken),
          formatCount(out),
          reasons(dropped),
        ]),
      ),
    ],
  )
}

const warnings = (vitals: Vitals): string =>
  htmlTable(
    ['when', 'code', 'what'],
    vitals.warnings
      .toReversed()
      .map(({ at, code, message }) => [new Date(at).toISOString().slice(11, 19), code, message]),
  )
