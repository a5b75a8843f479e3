import { describe, expect, it } from 'vitest'
import { epochMs } from '../../../src/base/units.ts'
import { History } from '../../../src/observe/history.ts'
import { PipelineMonitor } from '../../../src/observe/pipeline-monitor.ts'
import { readinessOf } from '../../../src/observe/readiness.ts'
import { drawChart } from '../../../src/service/page/chart.ts'
import { pageRoutes } from '../../../src/service/page/page.ts'
import type { ServiceView } from '../../../src/service/service-view.ts'

const NASTY = '<img src=x onerror="alert(1)">&\''

const viewOf = (pipeline: string, monitor: PipelineMonitor): ServiceView => {
  const vitals = () => monitor.vitals(epochMs(5_000))
  return {
    pipeline,
    version: '1.2.3',
    vitals,
    readiness: () => readinessOf(vitals(), { rows: null, ageMs: null }),
    history: new History(3),
  }
}

const bodyOf = async (view: ServiceView, path: string) => {
  const reply = await pageRoutes(view)
    .find(route => route.path === path)
    ?.handle({ path, query: new URLSearchParams(), authorized: true })
  return { body: reply?.body ?? '', policy: reply?.headers?.['content-security-policy'] ?? '' }
}

describe('the page', () => {
  it('shows names and messages as text, whatever is in them', async () => {
    const monitor = new PipelineMonitor()
    monitor.observe({ kind: 'started', name: NASTY, epoch: 1, resumedAfter: null, partitions: [] }, epochMs(1))
    monitor.observe({ kind: 'warning', code: 'SOURCE', message: NASTY }, epochMs(1))
    monitor.bounds([{ topic: NASTY, partition: 0, earliest: 0 as never, latest: 5 as never }], epochMs(1))
    for (const path of ['/', '/live']) {
      const { body } = await bodyOf(viewOf(NASTY, monitor), path)
      expect(body).toContain('&lt;img src=x onerror=&quot;alert(1)&quot;&gt;')
      expect(body).not.toContain('<img')
    }
  })

  it('needs nothing from elsewhere and runs no other script than its own', async () => {
    const { body, policy } = await bodyOf(viewOf('plays', new PipelineMonitor()), '/')
    expect(body).not.toMatch(/(src|href)="(https?:)?\/\//)
    expect(policy).toMatch(
      /default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; connect-src 'self'/,
    )
    expect(Buffer.byteLength(body)).toBeLessThan(20_000)
  })

  it('says so while nothing is known', async () => {
    const { body } = await bodyOf(viewOf('plays', new PipelineMonitor()), '/live')
    for (const text of ['starting', 'none yet', 'not asked yet']) expect(body).toContain(text)
  })
})

describe('a chart', () => {
  const times = [0, 1, 2, 3].map(epochMs)
  const format = (value: number) => `${value} u`

  it('has gaps where there is no value, and no NaN where all is 0', () => {
    const svg = drawChart({ title: 't', times, format, series: [{ name: 'a', values: [1, null, 2, 3] }] })
    expect(svg.match(/<polyline/g)).toHaveLength(2)
    expect(svg).toContain('3 u')
    const flat = drawChart({ title: 't', times: [], format, series: [{ name: 'a', values: [] }] })
    expect(flat).not.toMatch(/NaN|Infinity|undefined/)
    expect(flat).toContain('none')
  })

  it('leaves a bound out that lies far above what was measured', () => {
    const chart = (bound: number) =>
      drawChart({
        title: 't',
        times,
        format,
        series: [
          { name: 'a', values: [1, 2, 3, 4] },
          { name: 'limit', values: times.map(() => bound), bound: true },
        ],
      })
    expect(chart(8).match(/<polyline/g)).toHaveLength(2)
    expect(chart(1e6).match(/<polyline/g)).toHaveLength(1)
    expect(chart(1e6)).toContain('1000000 u')
  })
})

it('the history keeps the last points and their rates', () => {
  const history = new History(3)
  const monitor = new PipelineMonitor()
  for (const [at, rows] of [
    [0, 0],
    [1000, 500],
    [3000, 500],
    [4000, 1500],
  ] as const)
    history.record(monitor.vitals(epochMs(at)), { rows, residentBytes: 1 })
  expect(history.points.map(({ rowsPerSecond }) => rowsPerSecond)).toEqual([500, 0, 1000])
})
