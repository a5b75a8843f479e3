import { asMillraceError, type ErrorCode, type MillraceError } from '../base/errors.ts'
import type { Driver } from '../microbatch/driver.ts'
import { availableNow, defaultTrigger, processingTime, type Trigger } from '../microbatch/triggers.ts'
import { brokenPromise } from './broken-promise.ts'
import { type Launch, runDriver, type Site } from './driver-process.ts'
import type { FaultMix } from './fault-mix.ts'
import { type ProcessSurroundings, SimProcess } from './process.ts'

interface Running {
  readonly process: SimProcess
  driver: Driver | null
  /** It was told to stop while it was starting. */
  stopAsked: boolean
}

/** How a driver may end in a world that fails: whoever supervises it starts it again. */
const SURVIVABLE: readonly ErrorCode[] = ['STORE_FAILED', 'LEADER_CHANGED', 'TASK_FAILED', 'FENCED', 'ABORTED']

/** Keeps a driver running: starts it, starts it again, and starts a second one where the first does not answer. */
export class Supervisor {
  /** The error that ended the pipeline for good in a world that lost data; `null` while it goes on. */
  ended: MillraceError | null = null
  readonly #site: Site
  readonly #around: ProcessSurroundings
  readonly #faults: FaultMix
  readonly #seed: number
  readonly #maxWorkers: number
  /** Data was lost on purpose: an end that says so is right. */
  readonly #isExcused: () => boolean
  readonly #running = new Set<Running>()
  #starting = 0
  #launched = 0
  #version = 0
  #closing = false
  #failure: MillraceError | null = null

  constructor(
    site: Site,
    around: ProcessSurroundings,
    options: { readonly faults: FaultMix; readonly seed: number; readonly isExcused: () => boolean },
  ) {
    this.#site = site
    this.#around = around
    this.#faults = options.faults
    this.#seed = options.seed
    this.#isExcused = options.isExcused
    this.#maxWorkers = around.world.between(1, 3)
  }

  /** Schedules what operators and the machine do. */
  schedule(): void {
    const { world } = this.#around
    const { kills, overlaps, stops } = this.#faults
    this.#startSoon(0)
    for (const at of kills) world.after(at, () => this.#each(({ process }) => process.kill('at random')))
    for (const at of stops) world.after(at, () => this.#each(running => this.#stop(running)))
    for (const at of overlaps) world.after(at, () => this.#start(this.#nextTrigger()))
  }

  /** @throws PROMISE_BROKEN where a driver ended as none may */
  check(): void {
    if (this.#failure !== null) throw this.#failure
  }

  /** Whether no process is there that could still do something. */
  get isQuiet(): boolean {
    return this.#running.size === 0 && this.#starting === 0
  }

  /** Faults are over: whoever was stopped wakes. */
  wakeAll(): boolean {
    return this.#each(({ process }) => process.wake())
  }

  /** Ends every driver in an orderly way, and starts none any more but by `runOnce`. */
  close(): boolean {
    this.#closing = true
    return this.#each(running => this.#stop(running))
  }

  /** One driver until it ends by itself. */
  runOnce(trigger: Trigger): boolean {
    return this.#start(trigger)
  }

  #each(act: (running: Running) => unknown): boolean {
    const all = [...this.#running]
    for (const running of all) act(running)
    return all.length > 0
  }

  #stop(running: Running): void {
    const { process } = running
    this.#around.world.tell(process.name, () => 'is told to stop (SIGTERM)')
    process.deliver(() => {
      running.stopAsked = true
      running.driver?.stop()
    })
  }

  #startSoon(delayMs: number): void {
    if (this.#closing || this.#starting > 0 || this.ended !== null) return
    this.#starting += 1
    this.#around.world.after(delayMs, () => {
      this.#starting -= 1
      if (this.#closing) return false
      return this.#start(this.#nextTrigger())
    })
  }

  #start(trigger: Trigger): boolean {
    const { world } = this.#around
    this.#launched += 1
    const process = new SimProcess(this.#launched, this.#around)
    const running: Running = { process, driver: null, stopAsked: false }
    const launch = this.#nextLaunch(trigger)
    world.tell(process.name, () => `starts: code ${launch.version}, ${launch.workers} workers, ${trigger.kind}`)
    this.#running.add(running)
    process.onOut = how => {
      if (how === 'dead') this.#running.delete(running)
      this.#startSoon(world.between(0, 3000))
    }
    runDriver(this.#site, process, launch, driver => {
      running.driver = driver
      if (running.stopAsked) driver.stop()
    }).then(
      () => this.#over(running, null),
      (error: unknown) => this.#over(running, asMillraceError(error)),
    )
    return true
  }

  #over(running: Running, error: MillraceError | null): void {
    const { process } = running
    if (process.isDead) return
    process.exit()
    this.#running.delete(running)
    this.#around.world.tell(process.name, () => `ends: ${error === null ? 'done' : `${error.code} ${error.message}`}`)
    if (error !== null) this.#judge(error)
    const others = [...this.#running].some(each => !each.process.isPaused)
    if (!others) this.#startSoon(this.#around.world.between(0, 3000))
  }

  #judge(error: MillraceError): void {
    const { own, seen } = error.details
    if (error.code === 'PROMISE_BROKEN') this.#failure = error
    else if (error.code === 'FENCED' && Number(seen) <= Number(own)) {
      this.#failure = brokenPromise(`a driver of epoch ${own} was fenced by epoch ${seen}`)
    } else if (SURVIVABLE.includes(error.code)) return
    else if (this.#isExcused() && (error.code === 'DATA_LOST' || error.code === 'STAGED_OBJECT_LOST'))
      this.ended = error
    else this.#failure = brokenPromise(`a driver ended with ${error.code}: ${error.message}`)
  }

  #nextLaunch(trigger: Trigger): Launch {
    const { world } = this.#around
    const versions = this.#site.subject.versions.length
    if (this.#faults.changesCode && versions > 1) this.#version = world.between(0, versions - 1)
    const workers = this.#faults.changesWorkers ? world.between(1, this.#maxWorkers) : this.#maxWorkers
    return { seed: this.#seed * 1009 + this.#launched, version: this.#version, workers, trigger }
  }

  #nextTrigger(): Trigger {
    const { world } = this.#around
    const triggers: readonly Trigger[] = [
      defaultTrigger,
      defaultTrigger,
      processingTime('1s'),
      availableNow(),
      availableNow({ flush: true }),
    ]
    return triggers[world.between(0, triggers.length - 1)] as Trigger
  }
}
