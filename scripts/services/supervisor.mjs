// Runs `millrace` again whenever it dies, as systemd with Restart=on-failure does: for recordings.
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { projectFolder } from '../set-up.mjs'
import { end } from './processes.mjs'

/** Exit codes that a restart would only repeat: usage, fenced, data lost, bad rows. */
const NO_RESTART = new Set([0, 2, 3, 4, 5])

/** @param {{ args: readonly string[], env: object, log: string, restartMs?: number }} options `log` is a file */
export const supervise = ({ args, env, log, restartMs = 2_000 }) => {
  const stopping = new AbortController()
  let child = null
  const exits = []
  const running = (async () => {
    while (!stopping.signal.aborted) {
      const out = openSync(log, 'a')
      child = spawn(process.execPath, [join(projectFolder, 'dist', 'cli', 'main.js'), ...args], {
        env: { ...process.env, ...env },
        stdio: ['ignore', out, out],
      })
      closeSync(out)
      const current = child
      const [code, signal] = await new Promise(resolve => current.once('exit', (...ended) => resolve(ended)))
      exits.push({ at: Date.now(), code, signal })
      if (NO_RESTART.has(code)) return
      await sleep(restartMs)
    }
  })()
  const atExit = () => child?.kill('SIGKILL')
  process.once('exit', atExit)
  return {
    /** How each run ended, oldest first. */
    exits,
    kill: () => child.kill('SIGKILL'),
    stop: async () => {
      stopping.abort()
      process.off('exit', atExit)
      await end(child, 30_000)
      await running
    },
  }
}
