import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { PANELS } from '../../scripts/dashboard.mjs'
import { promtool, startPrometheus } from '../../scripts/services/prometheus.mjs'
import { pipelineFile, runCli, temporaryFolder } from './support/cli.ts'
import { type Daemon, readinessAt, startDaemon, until } from './support/daemon.ts'
import { loadGenerated, loadTopic } from './support/load-topic.ts'
import { createTopic } from './support/topics.ts'

const PARTITIONS = 3
const ROWS_PER_PARTITION = 60_000
const RULES = new URL('../../deploy/prometheus/millrace.rules.yml', import.meta.url).pathname
const RULE_TESTS = new URL('../../deploy/prometheus/millrace.rules.test.yml', import.meta.url).pathname
const TOKEN = 'a-token-for-this-test'
const QUICK_PROBES = ['--set', 'service.probeInterval=200ms', '--set', 'service.probeTimeout=1s']

const stopAtEnd = (daemon: Daemon): Daemon => {
  onTestFinished(async () => {
    daemon.process.kill('SIGKILL')
    await daemon.ended
  })
  return daemon
}

const topicWithRows = async (rowsPerPartition: number): Promise<string> => {
  const topic = await createTopic(PARTITIONS)
  await loadGenerated(topic, { partitions: PARTITIONS, rowsPerPartition, compression: 'lz4' })
  return topic
}

it('the rules are well-formed, and fire and stay silent as their tests say', () => {
  expect(promtool(['check', 'rules', RULES])).toMatchObject({ status: 0 })
  const { status, output } = promtool(['test', 'rules', RULE_TESTS])
  expect(status, output).toBe(0)
})

it('Prometheus scrapes a run: every panel has data, every rule holds, every number agrees with the progress', async () => {
  const topic = await topicWithRows(ROWS_PER_PARTITION)
  await loadTopic(topic, [{ value: 'no json' }])
  const flags = ['--root', temporaryFolder(), '--set', `service.token=${TOKEN}`, ...QUICK_PROBES]
  // slow enough that rates have a dozen scrapes to be seen in
  const rate = ['--set', 'backpressure.maxRate=15000', '--set', 'backpressure.targetInterval=500ms']
  const daemon = stopAtEnd(await startDaemon('plays', [...flags, ...rate], { TOPIC: topic }))
  const prometheus = await startPrometheus({ targets: [new URL(daemon.url).host], rules: [RULES], token: TOKEN })
  onTestFinished(() => prometheus.stop())

  expect((await fetch(`${daemon.url}/metrics`)).status).toBe(401)
  const authorized = { headers: { authorization: `Bearer ${TOKEN}` } }
  const rows = PARTITIONS * ROWS_PER_PARTITION + 1
  const read = async () => Number((await prometheus.query('millrace_input_rows_total'))[0]?.value[1] ?? 0)
  await until(read, seen => seen === rows, 60_000)

  const missing: string[] = []
  for (const { title, queries } of PANELS) {
    for (const [expression] of queries) {
      const asked = expression.replaceAll('$pipeline', 'plays').replaceAll('$__rate_interval', '30s')
      const result = await prometheus.query(asked)
      if (result.length === 0 || result.some(({ value }) => value[1] === 'NaN')) missing.push(`${title}: ${asked}`)
    }
  }
  expect(missing).toEqual([])

  const rules = await prometheus.rules()
  expect(rules.length).toBeGreaterThan(15)
  expect(rules.filter(({ health }) => health !== 'ok')).toEqual([])
  // a rule over a subquery has data only from the next multiple of its step (15 s) on
  for (const { name, type } of rules) {
    if (type !== 'recording') continue
    await until(
      () => prometheus.query(name),
      series => series.length > 0,
      30_000,
    )
  }

  const status = (await (await fetch(`${daemon.url}/api/status`, authorized)).json()) as {
    progress: { batchId: number }
    lagRows: number
  }
  const one = async (expression: string) => Number((await prometheus.query(expression))[0]?.value[1])
  await until(
    () => one('millrace_batches_total'),
    batches => batches === status.progress.batchId + 1,
    10_000,
  )
  expect(status.lagRows).toBe(0)
  expect(await one('sum(millrace_lag_rows)')).toBe(0)
  expect(await one('millrace_bad_rows_total{reason="invalidJson"}')).toBe(1)
  expect(await one('millrace_sink_rows_total{branch="raw"}')).toBe(rows - 1)
  expect(await one('max_over_time(sum(millrace_lag_rows)[1m:1s])')).toBeGreaterThan(0)

  const page = await (await fetch(`${daemon.url}/metrics`, authorized)).text()
  expect(promtoolMetrics(page)).toEqual([])
  expect(page).not.toContain(TOKEN)
})

/** What promtool finds to say about our metrics; Node's own are prom-client's. */
const promtoolMetrics = (page: string): readonly string[] =>
  promtool(['check', 'metrics'], page)
    .output.split('\n')
    .filter(line => line.startsWith('millrace_'))

describe('readiness', () => {
  it('goes while the broker hangs and comes back with it; SIGTERM takes it first and ends with code 0', async () => {
    const topic = await topicWithRows(1_000)
    const daemon = stopAtEnd(
      await startDaemon('plays', ['--root', temporaryFolder(), ...QUICK_PROBES], { TOPIC: topic }),
    )
    const ready = () => readinessAt(daemon.url)
    await until(ready, each => each.status === 200, 20_000)

    process.kill(inject('kafkaPid'), 'SIGSTOP')
    try {
      const { answer } = await until(ready, each => each.status === 503, 10_000)
      expect(answer.checks.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(['source'])
      expect((await fetch(`${daemon.url}/healthz`)).status).toBe(200)
    } finally {
      process.kill(inject('kafkaPid'), 'SIGCONT')
    }
    const { tookMs } = await until(ready, each => each.status === 200, 20_000)
    console.log(`ready again ${Math.round(tookMs)} ms after the broker went on`)

    const seen: (number | null)[] = []
    const looking = (async () => {
      while (seen.at(-1) !== null) {
        seen.push(
          await ready().then(
            ({ status }) => status,
            () => null,
          ),
        )
        await sleep(2)
      }
    })()
    daemon.process.kill('SIGTERM')
    expect((await daemon.ended).code).toBe(0)
    await looking
    expect(new Set(seen.slice(seen.indexOf(503)))).toEqual(new Set([503, null]))
  })

  it('goes for good when a second driver takes over; the first ends with code 3', async () => {
    const topic = await topicWithRows(1_000)
    const flags = ['--root', temporaryFolder(), ...QUICK_PROBES]
    const first = stopAtEnd(await startDaemon('plays', flags, { TOPIC: topic }))
    await until(
      () => readinessAt(first.url),
      ({ ready }) => ready,
      20_000,
    )
    const second = stopAtEnd(await startDaemon('plays', flags, { TOPIC: topic }))
    const { answer } = await until(
      () => readinessAt(first.url).catch(() => ({ ready: false, checks: [] })),
      ({ ready }) => !ready,
      15_000,
    )
    expect(answer.checks.filter(({ ok }) => !ok).map(({ name }) => name)).toContain('epoch')
    const { code, stderr } = await first.ended
    expect([code, JSON.parse(stderr).error.code]).toEqual([3, 'FENCED'])
    await until(
      () => readinessAt(second.url),
      ({ ready }) => ready,
      20_000,
    )
  })

  it('is refused to nobody by a taken port: the second command ends before it takes anything over', async () => {
    const topic = await topicWithRows(1_000)
    const root = temporaryFolder()
    const daemon = stopAtEnd(await startDaemon('plays', ['--root', root, ...QUICK_PROBES], { TOPIC: topic }))
    await until(
      () => readinessAt(daemon.url),
      ({ ready }) => ready,
      20_000,
    )
    const port = new URL(daemon.url).port
    const args = ['run', pipelineFile('plays'), '--root', root, '--listen', port, '--json']
    const { code, stderr } = await runCli(args, { TOPIC: topic })
    expect([code, JSON.parse(stderr).error.code]).toEqual([1, 'LISTEN_FAILED'])
    expect((await readinessAt(daemon.url)).ready).toBe(true)
    const open = await runCli([...args.slice(0, 4), '--listen', '0.0.0.0:0', '--json'], { TOPIC: topic })
    expect([open.code, JSON.parse(open.stderr).error.code]).toEqual([2, 'INVALID_CONFIG'])
  })
})
