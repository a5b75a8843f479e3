import type { Clock } from '../../base/clock.ts'
import { asMillraceError, MillraceError } from '../../base/errors.ts'
import type { Random } from '../../base/random.ts'
import { type BatchId, type DurationMs, durationMs } from '../../base/units.ts'
import type { ColumnBatch } from '../../columnar/column-batch.ts'
import type { SinkDriver } from '../sink.ts'
import { objectsOf, type ViewLog } from './view-log.ts'
import type { ViewReceipt } from './view-receipt.ts'
import { goTheWay, type ViewWalk, wayTo } from './view-steps.ts'
import type { ViewAnswer } from './view-store.ts'

/** Waits after failures grow from the first to the last. */
const FIRST_WAIT_MS = 100
const LAST_WAIT_MS = 5000
/** A trouble of one kind is told of once in this time. */
const WARN_EVERY_MS = 60_000
/** How long a closing publisher tries to bring the view to the last commit. */
const CLOSE_TIMEOUT_MS = 2000

/** What a publisher is made with. */
export interface ViewPublisherOptions {
  readonly walk: Omit<ViewWalk, 'view'>
  readonly log: ViewLog
  readonly clock: Clock
  readonly random: Random
  /** How long a batch waits for its rows to be in the view before the stream goes on without that. */
  readonly timeoutMs: DurationMs
  readonly warn: (code: string, message: string) => void
}

/** A commit that the view is to follow, and the rows that its batch changed, if they are still at hand. */
export interface PublishedCommit {
  readonly view: ViewWalk['view']
  readonly driver: SinkDriver
  readonly receipt: ViewReceipt
  readonly change: ColumnBatch | null
}

/**
 * Brings a view to the newest commit and keeps it there. While all is well, a batch waits until its rows are in the view
 * or the time limit is over. What can't be applied at once is caught up with in the background, from the log: only the
 * newest commit is remembered, so that being behind costs no memory, and the stream waits no more until the view is
 * there again.
 */
export class ViewPublisher {
  readonly #options: ViewPublisherOptions
  readonly #closing = new AbortController()
  readonly #warnedAt = new Map<string, number>()
  #target: PublishedCommit | null = null
  #reached: PublishedCommit | null = null
  #running: Promise<void> | null = null

  constructor(options: ViewPublisherOptions) {
    this.#options = options
  }

  /** Follows a commit. Resolves when the view is there, or when the stream should not wait any longer. Never rejects. */
  async publish(commit: PublishedCommit): Promise<void> {
    this.#target = commit
    if (this.#running !== null || this.#closing.signal.aborted) return
    this.#running = this.#follow().finally(() => (this.#running = null))
    await this.#orTimeout(this.#running, this.#options.timeoutMs)
  }

  /** Gives the view a moment to reach the last commit, then gives up what is under way. */
  async close(): Promise<void> {
    if (this.#running !== null) await this.#orTimeout(this.#running, durationMs(CLOSE_TIMEOUT_MS))
    this.#closing.abort()
    await this.#running
  }

  async #orTimeout(work: Promise<void>, limit: DurationMs): Promise<void> {
    const done = new AbortController()
    const timer = this.#options.clock.sleep(limit, done.signal).catch(() => undefined)
    await Promise.race([work, timer])
    done.abort()
  }

  /** Until the newest commit is reached. */
  async #follow(): Promise<void> {
    for (let failures = 0; this.#target !== this.#reached && !this.#closing.signal.aborted; ) {
      const target = this.#target
      try {
        if (target !== null) await this.#bring(target)
        this.#reached = target
        if (failures > 0) this.#recovered(target)
        failures = 0
      } catch (error) {
        failures += 1
        const { code, message, remedy } = asMillraceError(error)
        // what a newer commit no longer lists may be gone while an older one is followed
        const outrun = code === 'CHECKPOINT_DAMAGED' && target !== this.#target
        if (!outrun) this.#warn(code, `the view ${target?.view.name} is not up to date: ${message}. ${remedy}`)
        await this.#wait(Math.min(LAST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 10)))
      }
    }
  }

  async #wait(ms: number): Promise<void> {
    await this.#options.clock.sleep(durationMs(ms), this.#closing.signal).catch(() => undefined)
  }

  /** One attempt. What the view answers decides how: the change alone, the changes since, or everything. */
  async #bring(target: PublishedCommit): Promise<void> {
    const { receipt, change } = target
    let answer = await this.#delta(target, receipt.previous, change)
    for (let attempts = 0; attempts < MAX_WAYS; attempts += 1) {
      switch (answer.kind) {
        case 'applied':
        case 'already':
          return
        case 'behind':
          answer = await this.#delta(target, answer.batch, null)
          break
        case 'fenced':
          if (!(await ownsCheckpoint(target))) return this.#tellFenced(target, answer.epoch)
          answer = await this.#rebuild(target, answer.epoch)
          break
        default:
          throw this.#conflict(target, answer)
      }
    }
    throw interrupted(target)
  }

  /** The rows that changed since a batch: those at hand, or what the log has of them. From no batch: all rows. */
  #delta(target: PublishedCommit, after: BatchId | null, change: ColumnBatch | null): Promise<ViewAnswer> {
    if (after === null) return this.#rebuild(target, null)
    const logged = objectsOf(target.receipt.manifest).filter(({ until }) => until > after)
    const changes = change === null ? logged.map(object => () => this.#options.log.read(object)) : [async () => change]
    return this.#go(target, { kind: 'delta', after, overruled: null }, changes)
  }

  async #rebuild(target: PublishedCommit, overruled: number | null): Promise<ViewAnswer> {
    const objects = objectsOf(target.receipt.manifest)
    const answer = await this.#go(
      target,
      { kind: 'rebuild', after: null, overruled },
      objects.map(object => () => this.#options.log.read(object)),
    )
    if (answer.kind === 'applied' && target.receipt.previous !== null) {
      const { name } = target.view
      this.#warn('VIEW_REBUILT', `the view ${name} was rebuilt from its log, as of batch ${target.receipt.batch}`)
    }
    return answer
  }

  #go(
    { view, receipt, driver }: PublishedCommit,
    from: Parameters<typeof wayTo>[1],
    changes: Parameters<typeof goTheWay>[2],
  ): Promise<ViewAnswer> {
    const { walk, random } = this.#options
    return goTheWay({ ...walk, view }, wayTo(receipt, from, { epoch: driver.epoch, token: random.nonce() }), changes)
  }

  #tellFenced({ view }: PublishedCommit, epoch: number): void {
    this.#warn('VIEW_FENCED', `the view ${view.name} was written by driver epoch ${epoch}, later than this driver's`)
  }

  #conflict({ view }: PublishedCommit, answer: ViewAnswer): MillraceError {
    const owner = answer.kind === 'foreign' ? answer.pipeline : ''
    return new MillraceError('VIEW_CONFLICT', `the view ${view.name} in Redis belongs to another: pipeline ${owner}`, {
      remedy: 'Give the view another name, set another redis.keyPrefix, or delete the keys of the other view.',
      details: { view: view.name, pipeline: owner },
    })
  }

  #recovered(target: PublishedCommit | null): void {
    this.#warnedAt.clear()
    if (target !== null) {
      this.#warn(
        'VIEW_RECOVERED',
        `the view ${target.view.name} is up to date again, as of batch ${target.receipt.batch}`,
      )
    }
  }

  #warn(code: string, message: string): void {
    const now = this.#options.clock.monotonicMs()
    const before = this.#warnedAt.get(code)
    if (before !== undefined && now - before < WARN_EVERY_MS) return
    this.#warnedAt.set(code, now)
    this.#options.warn(code, message)
  }
}

/**
 * Nothing in Redis is believed before the store agrees: a driver that takes over says so there before it writes a view, so
 * one that finds no successor there knows that the view is wrong.
 */
const ownsCheckpoint = async ({ driver }: PublishedCommit): Promise<boolean> => {
  try {
    await driver.requireOwnership()
    return true
  } catch (error) {
    if (asMillraceError(error).code === 'FENCED') return false
    throw error
  }
}

/** Ways that are tried in a row before a pause: each follows from what the view answered. */
const MAX_WAYS = 4

const interrupted = ({ view }: PublishedCommit): MillraceError =>
  new MillraceError('REDIS_REFUSED', `the view ${view.name} changes while it is brought up to date`, {
    remedy: 'Stop what else writes to it; another driver of the pipeline ends by itself.',
  })
