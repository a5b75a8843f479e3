import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Places, storeEnvironment } from './places.ts'
import { RedisWatch } from './redis-watch.ts'
import { StoreWatch, type Weather } from './store-watch.ts'
import type { Trap } from './trap.ts'

const MAIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const pipelineFile = (version: Version): string =>
  fileURLToPath(new URL(`./pipelines/${version === 1 ? 'soak' : 'soak-changed'}.ts`, import.meta.url))

/** Which of the two pipelines runs; they differ in lambdas and columns. */
export type Version = 1 | 2

/** Nothing that is waited for takes so long. */
const PATIENCE_MS = 60_000
const late = (): Promise<'late'> => sleep(PATIENCE_MS, 'late' as const, { ref: false })

/** What all daemons of a soak have in common. */
export interface Setting {
  readonly places: Places
  readonly topic: string
  /** Where the pipeline lands: a bucket's folder or a local one. */
  readonly root: string
  /** How keys of what it lands begin: '' or with a slash at the end. */
  readonly prefix: string
  /** Where logs go. */
  readonly folder: string
  readonly maxRate: number | null
  readonly weather: Weather
}

export interface Run {
  readonly version: Version
  readonly workers: number
  /** Further arguments of `millrace run`. */
  readonly args: readonly string[]
  /** The row of a worker at which the process dies; `null` for none. */
  readonly killAtRow?: number | null
  /** Speaks to Redis itself, so that it meets what becomes of it. */
  readonly direct?: boolean
}

export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A `millrace run` as users start it, whose calls to store and Redis are followed from outside. */
export class Daemon {
  readonly child: ChildProcess
  readonly ended: Promise<Ending>
  /** When each of its commits was in the store, by `performance.now()`. */
  readonly commits: number[]
  readonly #log: string
  readonly #traps: { current: Trap | null }
  readonly #waiting: Set<() => void>

  /** Starts one and the watchers before it. */
  static async start(setting: Setting, run: Run): Promise<Daemon> {
    const traps: { current: Trap | null } = { current: null }
    const commits: number[] = []
    const waiting = new Set<() => void>()
    const at: ConstructorParameters<typeof RedisWatch>[1] = async point => (await traps.current?.at(point)) ?? 'go'
    const store = new StoreWatch({
      target: setting.places.s3.endpoint,
      at,
      awaited: () => traps.current?.point ?? null,
      committed: () => {
        commits.push(performance.now())
        for (const tell of waiting) tell()
        waiting.clear()
      },
      weather: setting.weather,
    })
    const redis = new RedisWatch(setting.places.redisPort, at)
    const [endpoint, redisUrl] = await Promise.all([store.listen(), redis.listen()])
    const env = {
      ...storeEnvironment(setting.places, endpoint),
      MILLRACE_REDIS_URL: run.direct === true ? `redis://127.0.0.1:${setting.places.redisPort}` : redisUrl,
      MILLRACE_KAFKA_BROKERS: setting.places.brokers,
      TOPIC: setting.topic,
      ...(run.killAtRow ? { SOAK_KILL_AT_ROW: String(run.killAtRow) } : {}),
    }
    const daemon = new Daemon(setting, run, env, { traps, commits, waiting })
    void daemon.ended.then(() => {
      store.close()
      redis.close()
    })
    return daemon
  }

  private constructor(
    setting: Setting,
    { version, workers, args }: Run,
    env: Readonly<Record<string, string>>,
    watched: {
      readonly traps: { current: Trap | null }
      readonly commits: number[]
      readonly waiting: Set<() => void>
    },
  ) {
    this.#traps = watched.traps
    this.commits = watched.commits
    this.#waiting = watched.waiting
    this.#log = join(mkdtempSync(join(setting.folder, 'daemon-')), 'log')
    const log = openSync(this.#log, 'a')
    const rate = setting.maxRate === null ? [] : ['--set', `backpressure.maxRate=${setting.maxRate}`]
    this.child = spawn(
      process.execPath,
      [MAIN, 'run', pipelineFile(version), '--root', setting.root]
        .concat('--workers', String(workers), '--json', ...rate)
        .concat(args),
      { env: { ...process.env, ...env }, stdio: ['ignore', log, log] },
    )
    closeSync(log)
    const { child } = this
    const atExit = (): void => void child.kill('SIGKILL')
    process.once('exit', atExit)
    this.ended = once(child, 'exit').then(([code, signal]) => {
      process.off('exit', atExit)
      return { code, signal }
    })
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  /** What it said, the end of it. */
  get lastWords(): string {
    return readFileSync(this.#log, 'utf8').split('\n').slice(-12).join('\n')
  }

  /** Batches that it has told of. */
  batches(): number {
    return readFileSync(this.#log, 'utf8').split('"kind":"progress"').length - 1
  }

  /** Resolves when it has told of a batch with rows: before, it has nothing to commit. */
  async rowsCome(): Promise<void> {
    while (!/"numInputRows":[1-9]/.test(readFileSync(this.#log, 'utf8'))) await this.live(sleep(100))
  }

  /** Rows that waited when its last batch was planned, as its progress tells. */
  lag(): number {
    const told = [...readFileSync(this.#log, 'utf8').matchAll(/"lagRows":(\d+)/g)]
    return Number(told.at(-1)?.[1] ?? 0)
  }

  arm(trap: Trap | null): void {
    this.#traps.current = trap
  }

  /** Resolves with its next commit. */
  nextCommit(): Promise<void> {
    return new Promise(resolve => this.#waiting.add(resolve))
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name)
  }

  /** Waits for something that it must live to see. @throws where it ends before, or does not get on */
  async live(event: Promise<unknown>): Promise<void> {
    const outcome = await Promise.race([event.then(() => null), this.ended, late()])
    if (outcome === null) return
    const what = outcome === 'late' ? 'did not get on' : `ended with ${outcome.code ?? outcome.signal}`
    throw this.#failed(what)
  }

  /** How it ended. @throws where it does not end */
  async end(): Promise<Ending> {
    const outcome = await Promise.race([this.ended, late()])
    if (outcome === 'late') throw this.#failed('did not end')
    return outcome
  }

  #failed(what: string): Error {
    this.child.kill('SIGKILL')
    return new Error(`the daemon ${what}:\n${this.lastWords}`)
  }
}
