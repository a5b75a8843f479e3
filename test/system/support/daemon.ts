import { setTimeout as sleep } from 'node:timers/promises'
import { pipelineFile, type RunningCli, startCli } from './cli.ts'

/** A `millrace run` that listens. */
export interface Daemon extends RunningCli {
  readonly url: string
}

/** Starts a pipeline with its service on a free port and waits until it listens. */
export const startDaemon = async (
  pipeline: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Daemon> => {
  const run = startCli(['run', pipelineFile(pipeline), '--json', '--listen', '127.0.0.1:0', ...args], env)
  let url = ''
  run.process.stdout?.on('data', (text: string) => (url ||= /"kind":"listening","url":"([^"]+)"/.exec(text)?.[1] ?? ''))
  await run.printed(/"kind":"listening"/)
  return { ...run, url }
}

export interface ReadinessAnswer {
  readonly status: number
  readonly ready: boolean
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[]
}

/** What /readyz says. */
export const readinessAt = async (url: string): Promise<ReadinessAnswer> => {
  const answer = await fetch(`${url}/readyz`)
  return { status: answer.status, ...((await answer.json()) as Omit<ReadinessAnswer, 'status'>) }
}

/** Asks until the answer fits; answers how long it took, in milliseconds. */
export const until = async <T>(ask: () => Promise<T>, fits: (answer: T) => boolean, timeoutMs: number) => {
  const startedAt = performance.now()
  for (;;) {
    const answer = await ask()
    if (fits(answer)) return { answer, tookMs: performance.now() - startedAt }
    if (performance.now() - startedAt > timeoutMs) throw new Error(`waited in vain: ${JSON.stringify(answer)}`)
    await sleep(100)
  }
}
