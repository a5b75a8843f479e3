import type { EpochMs } from '../../base/units.ts'
import { escapeHtml } from './markup.ts'

/** A line of a chart; a value for each point in time, `null` where there is none. */
export interface Series {
  readonly name: string
  readonly values: readonly (number | null)[]
  /** A bound rather than a measurement: drawn dashed, and left out where it lies far above everything. */
  readonly bound?: true
}

export interface Chart {
  readonly title: string
  readonly times: readonly EpochMs[]
  readonly series: readonly Series[]
  /** How a value is written on the axis and in the legend. */
  readonly format: (value: number) => string
}

const WIDTH = 480
const HEIGHT = 150
const LEFT = 56
const TOP = 8
const BOTTOM = 18
/** A bound so many times above all that was measured would press the rest to the floor. */
const FAR_ABOVE = 3

/** Draws lines over time as SVG; colours come from the page's style. */
export const drawChart = ({ title, times, series, format }: Chart): string => {
  const measured = greatest(series.filter(each => each.bound !== true))
  const shown = series.filter(each => each.bound !== true || greatest([each]) <= FAR_ABOVE * measured)
  const top = roundedUp(greatest(shown))
  const from = times[0] ?? 0
  const until = Math.max(times.at(-1) ?? 0, from + 1)
  const x = (at: number): number => LEFT + ((at - from) / (until - from)) * (WIDTH - LEFT - 4)
  const y = (value: number): number => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM)
  const lines = series.map((each, at) => (shown.includes(each) ? drawLine(each, at, times, x, y) : ''))
  const legend = series.map(
    (each, at) =>
      `<span class="key s${at}${each.bound === true ? ' bound' : ''}">${escapeHtml(each.name)} <b>${escapeHtml(latest(each, format))}</b></span>`,
  )
  return `<figure><figcaption><strong>${escapeHtml(title)}</strong>${legend.join('')}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(title)}">
${[0, 0.5, 1].map(share => gridLine(y(share * top), format(share * top))).join('')}
${lines.join('')}
<text class="axis" x="${LEFT}" y="${HEIGHT - 4}">${ago(until - from)}</text><text class="axis end" x="${WIDTH - 4}" y="${HEIGHT - 4}">now</text>
</svg></figure>`
}

const greatest = (series: readonly Series[]): number =>
  series.reduce((most, { values }) => values.reduce<number>((sum, value) => Math.max(sum, value ?? 0), most), 0)

/** The next of 1, 2, 5 times a power of ten, so that the axis reads well; 1 for nothing. */
const roundedUp = (value: number): number => {
  if (!(value > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 5, 10].find(step => step * power >= value) ?? 10) * power
}

const drawLine = (
  { values, bound }: Series,
  at: number,
  times: readonly EpochMs[],
  x: (at: number) => number,
  y: (value: number) => number,
): string => {
  const points = values.map((value, index) =>
    value === null ? null : `${x(times[index] ?? 0).toFixed(1)},${y(value).toFixed(1)}`,
  )
  const runs = points
    .map(point => point ?? '|')
    .join(' ')
    .split('|')
    .map(run => run.trim())
    .filter(run => run !== '')
  const style = `s${at}${bound === true ? ' bound' : ''}`
  return runs.map(run => `<polyline class="${style}" points="${run}"/>`).join('')
}

const gridLine = (at: number, label: string): string =>
  `<line x1="${LEFT}" x2="${WIDTH - 4}" y1="${at}" y2="${at}"/><text class="axis end" x="${LEFT - 6}" y="${at + 4}">${escapeHtml(label)}</text>`

const latest = ({ values }: Series, format: (value: number) => string): string => {
  const value = values.at(-1) ?? null
  return value === null ? 'none' : format(value)
}

const ago = (ms: number): string =>
  ms < 120_000 ? `${Math.round(ms / 1000)} s ago` : `${Math.round(ms / 60_000)} min ago`
