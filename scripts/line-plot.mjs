// Panels of lines over one time axis, as SVG for the docs.
const WIDTH = 860
const LEFT = 78
const RIGHT = 20
const PANEL = 96
const GAP = 34

const COLORS = ['#1d4ed8', '#c2410c', '#15803d', '#7c3aed']

/**
 * @param {{
 *   until: number, unit: string, ticks: readonly number[],
 *   marks: readonly { at: number, text: string }[],
 *   panels: readonly { title: string, most?: number, format: (value: number) => string,
 *     lines: readonly { name: string, points: readonly (readonly [number, number])[] }[] }[],
 * }} plot points are [time, value]; a line breaks where more than `breakAt` lies between two of its points
 */
export const linePlot = ({ until, unit, ticks, marks, panels, breakAt }) => {
  const x = at => LEFT + (at / until) * (WIDTH - LEFT - RIGHT)
  const height = 46 + panels.length * (PANEL + GAP)
  const bottom = height - 34
  const drawn = panels.map((panel, at) => drawPanel(panel, 40 + at * (PANEL + GAP), x, breakAt))
  const lines = marks.map(
    ({ at, text }) =>
      `<line x1="${x(at).toFixed(1)}" x2="${x(at).toFixed(1)}" y1="22" y2="${bottom}" stroke="#b91c1c" stroke-dasharray="4 3"/><text x="${(x(at) + 4).toFixed(1)}" y="18" fill="#b91c1c">${text}</text>`,
  )
  const axis = ticks.map(
    tick => `<text x="${x(tick).toFixed(1)}" y="${bottom + 14}" text-anchor="middle">${tick}</text>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
${drawn.join('\n')}
${lines.join('\n')}
${axis.join('')}<text x="${WIDTH / 2}" y="${bottom + 30}" text-anchor="middle">${unit}</text>
</svg>
`
}

const drawPanel = ({ title, format, lines, most }, top, x, breakAt) => {
  const greatest = most ?? roundedUp(Math.max(0, ...lines.flatMap(({ points }) => points.map(([, value]) => value))))
  const y = value => top + PANEL - (Math.min(value, greatest) / greatest) * PANEL
  const grid = [0, greatest / 2, greatest].map(
    tick =>
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(tick).toFixed(1)}" y2="${y(tick).toFixed(1)}" stroke="#ddd"/><text x="${LEFT - 6}" y="${(y(tick) + 4).toFixed(1)}" text-anchor="end">${format(tick)}</text>`,
  )
  const legend = lines.map(({ name }, at) => `<tspan dx="14" fill="${COLORS[at]}" font-weight="normal">${name}</tspan>`)
  const drawn = lines.flatMap(({ points }, at) =>
    runsOf(points, breakAt).map(
      run =>
        `<polyline fill="none" stroke="${COLORS[at]}" stroke-width="1.3" points="${run.map(([time, value]) => `${x(time).toFixed(1)},${y(value).toFixed(1)}`).join(' ')}"/>`,
    ),
  )
  return `<text x="${LEFT}" y="${top - 6}" font-weight="bold">${title}${legend.join('')}</text>${grid.join('')}${drawn.join('')}`
}

/** Pieces of a line without a gap. */
const runsOf = (points, breakAt) =>
  points.reduce((runs, point) => {
    const run = runs.at(-1)
    if (run !== undefined && point[0] - run.at(-1)[0] <= breakAt) run.push(point)
    else runs.push([point])
    return runs
  }, [])

/** The next of 1, 2, 2.5, 5 times a power of ten. */
const roundedUp = value => {
  if (!(value > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 2.5, 5, 10].find(step => step * power >= value) * power
}
