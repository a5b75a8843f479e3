import { asMillraceError, type MillraceError } from '../base/errors.ts'
import { seededRandom } from '../base/random.ts'
import { availableNow } from '../microbatch/triggers.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import { Auditor } from './auditor.ts'
import { brokenPromise } from './broken-promise.ts'
import { Bucket } from './bucket.ts'
import type { Site } from './driver-process.ts'
import type { FateKind, FateOf } from './fates.ts'
import { describeFaults, drawFaults, type FaultMix } from './fault-mix.ts'
import type { ProcessSurroundings } from './process.ts'
import { Producer } from './producer.ts'
import { SimRedis } from './redis.ts'
import type { Subject } from './subject.ts'
import { Supervisor } from './supervisor.ts'
import { Topic } from './topic.ts'
import { World } from './world.ts'

/** How a seed went. */
export interface SeedOutcome {
  readonly seed: number
  /** What broke a promise; `null` where all were kept. */
  readonly broken: MillraceError | null
  /** Why the pipeline did not have to come to a good end; `null` where it did. */
  readonly excused: string | null
  readonly steps: number
  readonly batches: number
  readonly rows: number
  readonly trace: readonly string[]
}

export interface SeedOptions {
  /** Resolves when no code is left that could run now (Node: `setImmediate`). */
  readonly nextTurn: () => Promise<void>
  readonly traced?: boolean
  /** Instead of what the seed would draw. */
  readonly faults?: FaultMix
  /** Decides on every call instead of the seed. */
  readonly fateOf?: FateOf
}

/** What each length of a run comes to. Faults, and what producers write, come to their end by then. */
const LENGTHS = {
  brief: {
    faultsEndMs: 6000,
    appends: 6,
    appendedByMs: 1,
    recordsPerAppend: 4,
    maxRate: 40,
    latencyMs: 8,
    pauseMs: [500, 4000],
  },
  short: {
    faultsEndMs: 6000,
    appends: 8,
    appendedByMs: 6000,
    recordsPerAppend: 4,
    maxRate: 40,
    latencyMs: 8,
    pauseMs: [50, 5000],
  },
  usual: {
    faultsEndMs: 20_000,
    appends: 24,
    appendedByMs: 20_000,
    recordsPerAppend: 4,
    maxRate: 40,
    latencyMs: 8,
    pauseMs: [50, 9000],
  },
  long: {
    faultsEndMs: 60_000,
    appends: 900,
    appendedByMs: 60_000,
    recordsPerAppend: 1,
    maxRate: 1000,
    latencyMs: 2,
    pauseMs: [59_000, 59_000],
  },
} as const
/** So many steps without faults bring any pipeline to its end. */
const STEPS_TO_CATCH_UP = 20_000

/** One seed: a topic that fills, drivers that fail, and an auditor who looks after every step. */
export const runSeed = async (subject: Subject, seed: number, options: SeedOptions): Promise<SeedOutcome> => {
  const simulation = new Simulation(subject, seed, options)
  const broken = await simulation.run()
  return { ...simulation.figures(), seed, broken }
}

class Simulation {
  readonly #world: World
  readonly #topic: Topic
  readonly #auditor: Auditor
  readonly #producer: Producer
  readonly #supervisor: Supervisor
  readonly #bucket: Bucket
  readonly #redis: SimRedis
  readonly #faults: FaultMix
  readonly #options: SeedOptions
  #skewMs = 0
  #lifecycleStruck = false
  #faultsAreOver = false

  constructor(subject: Subject, seed: number, options: SeedOptions) {
    const random = seededRandom(seed)
    this.#options = options
    this.#world = new World(random, options.nextTurn, { traced: options.traced ?? false })
    this.#faults = options.faults ?? drawFaults(random, length => LENGTHS[length].faultsEndMs)
    const plan = subject.versions[0] as PipelinePlan
    this.#redis = new SimRedis(this.#world)
    this.#topic = new Topic(topicOf(plan), this.#world.between(1, 3))
    this.#auditor = new Auditor(subject, this.#topic, () => this.#bucket, this.#redis)
    this.#bucket = new Bucket(
      () => this.#world.elapsedMs,
      change => this.#auditor.changed(change),
    )
    const { makeRow } = subject
    const { appends, appendedByMs: untilMs, recordsPerAppend } = LENGTHS[this.#faults.length]
    const amount = { appends, untilMs, recordsPerAppend }
    const production = { seed, format: plan.format, makeRow, faults: this.#faults, ...amount }
    this.#producer = new Producer(this.#topic, this.#world, production)
    this.#supervisor = new Supervisor(this.#site(subject), this.#around(), {
      faults: this.#faults,
      seed,
      isExcused: () => this.#excuse() !== null,
    })
  }

  /** @returns what broke a promise, or `null` */
  async run(): Promise<MillraceError | null> {
    this.#world.tell('faults', () => describeFaults(this.#faults))
    try {
      this.#schedule()
      await this.#until(() => this.#world.elapsedMs > this.#faultsEndMs, 'faults')
      this.#faultsAreOver = true
      this.#redis.comeBack()
      this.#world.tell('faults', () => 'are over')
      if (this.#supervisor.wakeAll()) await this.#world.settle()
      if (await this.#until(() => this.#hasCaughtUp(), 'catch up')) await this.#closeDown()
    } catch (error) {
      return asMillraceError(error)
    }
    return null
  }

  figures(): Omit<SeedOutcome, 'seed' | 'broken'> {
    return {
      excused: this.#excuse(),
      steps: this.#world.steps,
      batches: this.#auditor.log.newest + 1,
      rows: this.#auditor.visibleRows,
      trace: this.#world.trace,
    }
  }

  /** Every window is closed by a last run, and one more finds nothing to do and nothing left behind. */
  async #closeDown(): Promise<void> {
    if (this.#supervisor.close()) await this.#world.settle()
    for (const trigger of [null, availableNow({ flush: true }), availableNow()]) {
      if (trigger !== null && this.#supervisor.runOnce(trigger)) await this.#world.settle()
      if (!(await this.#until(() => this.#supervisor.isQuiet, 'end'))) return
      // requests of the dead that are still on their way
      while (await this.#world.step()) await this.#auditor.review()
    }
    if (!this.#hasCaughtUp()) throw brokenPromise('rows are missing after the last run')
    this.#auditor.requireViews()
    const [left] = this.#bucket.listStaged('', 0)
    if (left !== undefined) throw brokenPromise(`the upload of ${left.key} was left behind`)
  }

  /** Steps until something is so. @returns false where the pipeline has ended for good, as it may where data was lost */
  async #until(reached: () => boolean, what: string): Promise<boolean> {
    for (let steps = 0; !reached(); steps += 1) {
      if (this.#supervisor.ended !== null) return false
      const more = await this.#world.step()
      await this.#auditor.review()
      this.#supervisor.check()
      if (more && (what === 'faults' || steps < STEPS_TO_CATCH_UP)) continue
      if (this.#lifecycleStruck) return false
      throw brokenPromise(
        `stuck: no ${what} within ${steps} steps; ${this.#auditor.awaited} committed rows are invisible`,
      )
    }
    return true
  }

  get #faultsEndMs(): number {
    return LENGTHS[this.#faults.length].faultsEndMs
  }

  #hasCaughtUp(): boolean {
    const { log, awaited } = this.#auditor
    // what retention deletes of a new partition before any plan has named it was nobody's yet
    const behind = this.#topic.partitions.some(
      ({ earliest, end }, partition) => (log.knows(partition) ? log.committed(partition) : earliest) < end,
    )
    return !behind && !log.hasOpenPlan && awaited === 0
  }

  #excuse(): string | null {
    return this.#producer.lost ?? (this.#lifecycleStruck ? 'a lifecycle rule aborted uploads' : null)
  }

  #schedule(): void {
    const world = this.#world
    this.#producer.schedule(partition => this.#auditor.log.committed(partition))
    this.#supervisor.schedule()
    for (const { at, byMs } of this.#faults.clockJumps) {
      world.after(at, () => {
        this.#skewMs += byMs
        world.tell('clock', () => `jumps by ${byMs} ms`)
        return false
      })
    }
    for (const { at, what } of this.#faults.redis) {
      world.after(at / 2, () => {
        this.#redis.remember()
        return false
      })
      world.after(at, () => {
        this.#redis.befall(what)
        return false
      })
    }
    const { lifecycleAt } = this.#faults
    if (lifecycleAt !== null) world.after(lifecycleAt, () => this.#strike())
    world.after(this.#faultsEndMs + 1, () => false)
  }

  #strike(): false {
    this.#lifecycleStruck = true
    this.#bucket.abortUploads()
    this.#world.tell('bucket', () => 'a lifecycle rule aborts every open upload')
    return false
  }

  #site(subject: Subject): Site {
    const world = this.#world
    const { staleListingMs, laggingLeader } = this.#faults
    return {
      subject,
      topic: this.#topic,
      bucket: this.#bucket,
      redis: this.#redis,
      auditor: this.#auditor,
      behaviour: {
        failOnDataLoss: true,
        lag: () => (!this.#faultsAreOver && world.chance(laggingLeader) ? world.between(1, 5) : 0),
        fetchRecords: 5,
      },
      staleMs: () => (this.#faultsAreOver || staleListingMs === 0 ? 0 : world.between(0, staleListingMs)),
      skewMs: () => this.#skewMs,
      maxRate: LENGTHS[this.#faults.length].maxRate,
    }
  }

  #around(): ProcessSurroundings {
    const world = this.#world
    const { latencyMs: most, pauseMs } = LENGTHS[this.#faults.length]
    const fateOf = this.#options.fateOf ?? (() => drawFate(this.#faults, world))
    return {
      world,
      fateOf: call => (this.#faultsAreOver ? 'served' : fateOf(call)),
      latency: () => ({ toEffect: world.between(1, most), toAnswer: world.between(1, most) }),
      slowMs: () => world.between(20, 4000),
      pauseMs: () => world.between(pauseMs[0], pauseMs[1]),
    }
  }
}

const drawFate = ({ fates }: FaultMix, world: World): FateKind => {
  let drawn = world.random.next()
  for (const [kind, probability] of Object.entries(fates) as [FateKind, number][]) {
    drawn -= probability
    if (drawn < 0) return kind
  }
  return 'served'
}

const topicOf = ({ source }: PipelinePlan): string => (source.kind === 'kafka' ? source.topic : source.kind)
