// A real Prometheus (loopback, a port and temporary data of its own) from Debian, for tests and recordings.
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { end, endWithThisProcess, freePort, listens } from './processes.mjs'

const START_TIMEOUT_MS = 30_000
const INSTALL = 'apt-get install -y --no-install-recommends prometheus'

/** Installs Prometheus and promtool where they are missing and this user may. */
const requirePrometheus = () => {
  if (spawnSync('prometheus', ['--version'], { stdio: 'ignore' }).status === 0) return
  if (process.getuid?.() === 0) {
    console.log('Installing Prometheus (apt-get) …')
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore', env })
    spawnSync('sh', ['-c', `${INSTALL} >/dev/null`], { stdio: ['ignore', 'ignore', 'inherit'], env })
    if (spawnSync('prometheus', ['--version'], { stdio: 'ignore' }).status === 0) return
  }
  throw new Error(`prometheus is missing; install it with: ${INSTALL}`)
}

/** Runs promtool (`input` is what it reads) and answers its exit code with what it said. */
export const promtool = (args, input = '') => {
  requirePrometheus()
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8', input })
  return { status, output: stdout + stderr }
}

/**
 * @param {{ targets: readonly string[], rules?: readonly string[], token?: string, intervalSeconds?: number }} options
 *   `targets` are `host:port`, scraped as job `millrace`; `rules` are files
 */
export const startPrometheus = async ({ targets, rules = [], token, intervalSeconds = 1 }) => {
  requirePrometheus()
  const folder = mkdtempSync(join(tmpdir(), 'millrace-prometheus-'))
  const port = await freePort()
  const config = join(folder, 'prometheus.yml')
  writeFileSync(config, configuration({ targets, rules, token, intervalSeconds }))
  const log = openSync(join(folder, 'prometheus.log'), 'a')
  const server = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    { stdio: ['ignore', log, log] },
  )
  closeSync(log)
  endWithThisProcess(server)
  const url = `http://127.0.0.1:${port}`
  await untilReady(url, port, server, folder)
  const api = async path => {
    const answer = await (await fetch(`${url}/api/v1/${path}`)).json()
    if (answer.status !== 'success') throw new Error(`Prometheus refused ${path}: ${answer.error}`)
    return answer.data
  }
  return {
    url,
    pid: server.pid,
    query: async expression => (await api(`query?query=${encodeURIComponent(expression)}`)).result,
    queryRange: async (expression, from, until, step) => {
      const query = `query=${encodeURIComponent(expression)}&start=${from}&end=${until}&step=${step}`
      return (await api(`query_range?${query}`)).result
    },
    rules: async () => (await api('rules')).groups.flatMap(group => group.rules),
    stop: async () => {
      await end(server, 10_000)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** It listens while it still reads its data, and says when it is ready. */
const untilReady = async (url, port, server, folder) => {
  const deadline = Date.now() + START_TIMEOUT_MS
  let listening = await listens(server, port, START_TIMEOUT_MS)
  while (listening && Date.now() < deadline) {
    if ((await fetch(`${url}/-/ready`)).ok) return
    await sleep(100)
    listening = server.exitCode === null
  }
  server.kill('SIGKILL')
  throw new Error(`Prometheus did not start:\n${readFileSync(join(folder, 'prometheus.log'), 'utf8').slice(-2000)}`)
}

/** JSON is YAML. */
const configuration = ({ targets, rules, token, intervalSeconds }) =>
  JSON.stringify({
    global: { scrape_interval: `${intervalSeconds}s`, evaluation_interval: `${intervalSeconds}s` },
    rule_files: rules,
    scrape_configs: [
      {
        job_name: 'millrace',
        static_configs: [{ targets }],
        ...(token === undefined ? {} : { authorization: { credentials: token } }),
      },
    ],
  })
