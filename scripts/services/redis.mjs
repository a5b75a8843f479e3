// A real Redis server (loopback, data in a temporary folder), for tests, benches and by hand:
//   node scripts/services/redis.mjs [port]     starts it and stops it with Ctrl-C
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { endWithThisProcess, freePort } from './processes.mjs'

const START_TIMEOUT_MS = 20_000
const INSTALL = 'apt-get install -y redis-server'

const isThere = () => spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0

/** Installs Debian's package where the server is missing and this process may. */
export const requireRedis = () => {
  if (isThere()) return
  if (process.getuid?.() === 0) {
    console.log('Installing redis-server …')
    const options = {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }
    spawnSync('apt-get', ['update', '-q'], options)
    spawnSync('apt-get', ['install', '-y', '-q', '--no-install-recommends', 'redis-server'], options)
  }
  if (!isThere()) throw new Error(`redis-server is missing; install it with: ${INSTALL}`)
}

/**
 * Starts a server and waits until it answers. What it holds survives `restart`, also after a kill.
 * @param {{ port?: number, settings?: readonly string[] }} [options] `settings` as on the server's command line
 * @returns {Promise<import('./redis.mjs').RunningRedis>}
 */
export const startRedis = async ({ port, settings = [] } = {}) => {
  requireRedis()
  const listener = port ?? (await freePort())
  const folder = mkdtempSync(join(tmpdir(), 'millrace-redis-'))
  const args = ['--bind', '127.0.0.1', '--port', String(listener), '--dir', folder, '--save', '', '--appendonly', 'yes']
  const launch = () => launchServer([...args, ...settings], listener)
  let server = await launch()
  const end = async signal => {
    const gone =
      server.exitCode !== null || server.signalCode !== null ? null : new Promise(done => server.once('exit', done))
    server.kill('SIGCONT')
    server.kill(signal)
    await gone
  }
  return {
    url: `redis://127.0.0.1:${listener}`,
    port: listener,
    get pid() {
      return server.pid
    },
    kill: () => end('SIGKILL'),
    restart: async () => {
      await end('SIGTERM')
      server = await launch()
    },
    stop: async () => {
      await end('SIGTERM')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const launchServer = async (args, port) => {
  const server = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  endWithThisProcess(server)
  let log = ''
  for (const stream of [server.stdout, server.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      log = (log + text).slice(-4000)
    })
  }
  const deadline = Date.now() + START_TIMEOUT_MS
  while (!(await answers(port))) {
    if (server.exitCode !== null || Date.now() > deadline) {
      server.kill('SIGKILL')
      throw new Error(`Redis did not start:\n${log}`)
    }
    await sleep(20)
  }
  return server
}

/** Whether it answers PING with PONG, or asks for a password: one that still loads its data answers LOADING. */
const answers = port =>
  new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write('PING\r\n'))
    const end = answer => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(1000, () => end(false))
    socket.once('data', data => end(/^(\+PONG|-NOAUTH)/.test(data.toString())))
    socket.once('error', () => end(false))
  })

if (process.argv[1] === import.meta.filename) {
  const redis = await startRedis({ port: Number(process.argv[2] ?? 6379) })
  console.log(`Redis answers at ${redis.url} (pid ${redis.pid}); Ctrl-C stops it and deletes its data.`)
  const stop = () => void redis.stop().then(() => process.exit(0))
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
}
