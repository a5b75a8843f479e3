import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { DASHBOARD_FILE, dashboardText, PANELS } from '../../../scripts/dashboard.mjs'
import { ERROR_KINDS, EXIT } from '../../../src/base/errors.ts'
import { DRIVER_METRICS } from '../../../src/observe/driver-metrics.ts'
import { LIVE_METRICS } from '../../../src/observe/live-metrics.ts'

const project = fileURLToPath(new URL('../../../', import.meta.url))
const text = (path: string): string => readFileSync(join(project, path), 'utf8')

it('the dashboard is what its panels say (node scripts/dashboard.mjs writes it), each with a query', () => {
  expect(readFileSync(DASHBOARD_FILE, 'utf8')).toBe(dashboardText())
  expect(PANELS.filter(({ queries }) => queries.length === 0)).toEqual([])
  const datasource = text('deploy/grafana/provisioning/datasources/prometheus.yaml')
  const used = [...dashboardText().matchAll(/"uid": "([^"]+)"/g)].map(match => match[1])
  for (const uid of new Set(used)) if (uid !== 'millrace') expect(datasource).toContain(`uid: ${uid}`)
})

it('dashboard and rules name no metric that there is not', () => {
  const known = new Set([...DRIVER_METRICS, ...LIVE_METRICS].map(({ name }) => name))
  const rules = text('deploy/prometheus/millrace.rules.yml')
  const recorded = new Set([...rules.matchAll(/record: (\S+)/g)].map(match => match[1]))
  const asked = `${rules}\n${PANELS.flatMap(({ queries }) => queries.map(([expression]) => expression)).join('\n')}`
  const named = [...asked.matchAll(/(?<![\w:])(millrace_\w+)(?![\w:])/g)].map(match => match[1] ?? '')
  const plain = named.map(name => name.replace(/_(bucket|sum|count)$/, ''))
  expect(plain.length).toBeGreaterThan(40)
  expect(plain.filter(name => !known.has(name) && name !== 'millrace_build_info')).toEqual([])
  const derived = [...asked.matchAll(/(pipeline:\w+:\w+)/g)].map(match => match[1])
  expect(derived.filter(name => !recorded.has(name))).toEqual([])
})

it('every file that compose mounts is there, and no port is open to others', () => {
  const compose = text('compose.yaml')
  const mounted = [...compose.matchAll(/["'\s](\.\/[\w./-]+):/g)].map(match => match[1] ?? '')
  expect(mounted.length).toBeGreaterThan(3)
  expect(mounted.filter(path => !existsSync(join(project, path)))).toEqual([])
  const ports = [...compose.matchAll(/ ports: \[["']([^"']+)["']\]/g)].map(match => match[1] ?? '')
  expect(ports.length).toBeGreaterThan(3)
  expect(ports.filter(port => !port.startsWith('127.0.0.1:'))).toEqual([])
})

it('the systemd unit restarts exactly what a restart may cure', () => {
  const [, codes = ''] = /RestartPreventExitStatus=([\d ]+)/.exec(text('deploy/millrace.service')) ?? []
  const incurable = Object.values(EXIT).filter(code => code !== EXIT.ok && code !== EXIT.failed)
  expect(codes.split(' ').map(Number)).toEqual(incurable)
  const curable = Object.values(ERROR_KINDS).filter(({ retriable }) => retriable)
  expect(curable.filter(({ exit }) => exit !== EXIT.failed)).toEqual([])
})
