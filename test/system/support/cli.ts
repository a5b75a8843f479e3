import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject, onTestFinished } from 'vitest'

const MAIN = new URL('../../../dist/cli/main.js', import.meta.url).pathname
export const pipelineFile = (name: string): string => new URL(`../pipelines/${name}.ts`, import.meta.url).pathname

/** A folder that is gone after the test. */
export const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export interface Outcome {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunningCli {
  readonly process: ChildProcess
  readonly ended: Promise<Outcome>
  /** Resolves as soon as what was written to standard output so far matches. */
  printed(pattern: RegExp): Promise<void>
}

/** Starts `millrace` as users do, as a process of its own. */
export const startCli = (args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningCli => {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, MILLRACE_KAFKA_BROKERS: inject('kafkaBrokers'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = once(child, 'close').then(([code, signal]): Outcome => ({ code, signal, stdout, stderr }))
  return {
    process: child,
    ended,
    async printed(pattern) {
      while (!pattern.test(stdout)) {
        if (child.exitCode !== null || child.signalCode !== null) {
          throw new Error(`millrace ended before it printed ${pattern}:\n${stdout}${stderr}`)
        }
        await Promise.race([once(child.stdout, 'data'), ended])
      }
    },
  }
}

/** Runs `millrace` to its end. */
export const runCli = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> =>
  startCli(args, env).ended
