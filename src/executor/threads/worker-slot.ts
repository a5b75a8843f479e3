import { abortable, aborted } from '../../base/abortable.ts'
import { MillraceError } from '../../base/errors.ts'
import { describeTask } from '../attempts.ts'
import type { Task, TaskResult } from '../task.ts'
import { WorkerThread } from './worker-thread.ts'

export interface WorkerSlotOptions {
  /** The worker's entry file, which calls `serveTasks`. */
  readonly workerUrl: URL
  /** Plain data that the entry file makes its runner from. */
  readonly workerData: unknown
  /** A task that takes longer is given up, and its worker replaced. */
  readonly taskTimeoutMs: number
  /** How long a new worker may take to become ready. */
  readonly startTimeoutMs: number
  /** How long a worker may take to obey `cancel` or `close` before it is terminated. */
  readonly graceMs: number
  /** Told of workers lost and replaced. */
  readonly log: (line: string) => void
}

/**
 * The place of one worker thread: starts a thread when there is a task and none is alive, runs one task at a time on
 * it, and gets rid of a thread that hangs.
 */
export class WorkerSlot {
  readonly #number: number
  readonly #options: WorkerSlotOptions
  #thread: WorkerThread | null = null
  #nextId = 0

  constructor(number: number, options: WorkerSlotOptions) {
    this.#number = number
    this.#options = options
  }

  /**
   * Runs one task. @throws what the task threw; WORKER_LOST where the thread ended, hung or did not start; ABORTED
   * once the worker has stopped working on it
   */
  async run(task: Task, signal: AbortSignal): Promise<TaskResult> {
    const thread = this.#living()
    await abortable(thread.ready, signal, 'the micro-batch')
    return this.#ask(thread, task, signal)
  }

  /** Resolves when a thread is there that can take tasks. @throws what it failed to start with */
  async start(): Promise<void> {
    await this.#living().ready
  }

  /** The files of the last run are not needed any more. */
  reuse(): void {
    if (this.#thread?.alive === true) this.#thread.reuse()
  }

  /** Ends the thread, by force where it does not end by itself within the grace time. */
  async close(): Promise<void> {
    const thread = this.#thread
    this.#thread = null
    if (thread === null || !thread.alive) return
    thread.post({ kind: 'close' })
    await thread.endWithin(this.#options.graceMs)
  }

  #living(): WorkerThread {
    return this.#thread?.alive === true ? this.#thread : this.#begin()
  }

  #begin(): WorkerThread {
    const { workerUrl, workerData, startTimeoutMs, log } = this.#options
    if (this.#thread !== null) log(`worker ${this.#number} was lost; a new one takes its place`)
    const thread = new WorkerThread(`millrace-worker-${this.#number}`, workerUrl, workerData, startTimeoutMs)
    this.#thread = thread
    return thread
  }

  async #ask(thread: WorkerThread, task: Task, signal: AbortSignal): Promise<TaskResult> {
    if (signal.aborted) throw aborted(describeTask(task))
    const id = this.#nextId++
    const { taskTimeoutMs, graceMs } = this.#options
    const reasons: MillraceError[] = []
    const giveUp = (reason: MillraceError, withinMs: number): void => {
      reasons.push(reason)
      thread.post({ kind: 'cancel', id })
      clearTimeout(timer)
      timer = setTimeout(() => void thread.terminate(), withinMs)
    }
    const onAbort = () => giveUp(aborted(describeTask(task)), graceMs)
    let timer = setTimeout(() => giveUp(tookTooLong(task, taskTimeoutMs), graceMs), taskTimeoutMs)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await thread.run(id, task)
    } catch (error) {
      throw reasons[0] ?? error
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
  }
}

const tookTooLong = (task: Task, timeoutMs: number): MillraceError =>
  new MillraceError('WORKER_LOST', `${describeTask(task)} was given up after ${timeoutMs} ms`, {
    remedy: 'Look for a lambda that does not end, or raise the task time-out.',
    details: { task: task.index, timeoutMs },
  })
