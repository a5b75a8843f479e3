import { Worker } from 'node:worker_threads'
import { fromErrorRecord, MillraceError } from '../../base/errors.ts'
import { isShared } from '../../sinks/spare-buffers.ts'
import type { Task, TaskResult } from '../task.ts'
import type { DriverMessage, WorkerMessage } from './messages.ts'

interface Settle<T> {
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
}

/** One worker thread from its start to its end. Never restarts. */
export class WorkerThread {
  /** Resolves when the worker can take tasks. @throws what it failed to start with, or WORKER_LOST */
  readonly ready: Promise<void>
  readonly #worker: Worker
  readonly #exited: Promise<void>
  readonly #answers = new Map<number, Settle<TaskResult>>()
  /** Whether the thread has given files that lie in its memory. */
  #hasLent = false
  #starting: Settle<void> | null = null
  #lost: MillraceError | null = null
  #cause: unknown
  readonly #startTimer: NodeJS.Timeout

  constructor(name: string, url: URL, workerData: unknown, startTimeoutMs: number) {
    this.#worker = new Worker(url, { workerData, name })
    this.ready = new Promise((resolve, reject) => {
      this.#starting = { resolve, reject }
    })
    // it is looked at by the first task; until then a failure must not count as unhandled
    this.ready.catch(() => undefined)
    this.#startTimer = setTimeout(() => {
      this.#cause = new Error(`it was not ready after ${startTimeoutMs} ms`)
      void this.terminate()
    }, startTimeoutMs)
    this.#worker.on('message', (message: WorkerMessage) => this.#receive(message))
    this.#worker.on('messageerror', error => this.#fail(error))
    this.#worker.on('error', error => {
      this.#cause ??= error
    })
    this.#exited = new Promise(resolve => {
      this.#worker.once('exit', code => {
        this.#end(code)
        resolve()
      })
    })
  }

  get alive(): boolean {
    return this.#lost === null
  }

  /** Runs a task. @throws the task's error, or WORKER_LOST where the thread ends first */
  run(id: number, task: Task): Promise<TaskResult> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== null) return reject(this.#lost)
      this.#answers.set(id, { resolve, reject })
      this.post({ kind: 'run', id, task })
    })
  }

  post(message: DriverMessage): void {
    this.#worker.postMessage(message, [])
  }

  /** Tells the thread that whoever had its files has finished with them. */
  reuse(): void {
    if (this.#hasLent) this.post({ kind: 'reuse' })
    this.#hasLent = false
  }

  /** Stops the thread whatever it does, and waits until it has ended. */
  async terminate(): Promise<void> {
    await this.#worker.terminate()
    await this.#exited
  }

  /** Waits for the thread to end by itself, and terminates it after `graceMs`. */
  async endWithin(graceMs: number): Promise<void> {
    const timer = setTimeout(() => void this.#worker.terminate(), graceMs)
    await this.#exited
    clearTimeout(timer)
  }

  #receive(message: WorkerMessage): void {
    switch (message.kind) {
      case 'ready':
        clearTimeout(this.#startTimer)
        this.#starting?.resolve()
        this.#starting = null
        break
      case 'startFailed':
        this.#lost = fromErrorRecord(message.error)
        this.#starting?.reject(this.#lost)
        this.#starting = null
        void this.terminate()
        break
      case 'done':
        this.#hasLent ||= lends(message.result)
        this.#take(message.id)?.resolve(message.result)
        break
      case 'failed':
        this.#take(message.id)?.reject(fromErrorRecord(message.error))
        break
    }
  }

  #take(id: number): Settle<TaskResult> | undefined {
    const answer = this.#answers.get(id)
    this.#answers.delete(id)
    return answer
  }

  /** A message that can't be read leaves the driver without an answer: the thread is of no use any more. */
  #fail(error: unknown): void {
    this.#cause ??= error
    void this.terminate()
  }

  #end(exitCode: number): void {
    clearTimeout(this.#startTimer)
    const reason = this.#cause instanceof Error ? this.#cause.message : `exit code ${exitCode}`
    const lost = new MillraceError('WORKER_LOST', `a worker thread ended: ${reason}`, {
      remedy: 'If it says out of memory, give Node more (--max-old-space-size) or use smaller batches.',
      cause: this.#cause,
      details: { exitCode },
    })
    this.#lost ??= lost
    this.#starting?.reject(lost)
    this.#starting = null
    for (const { reject } of this.#answers.values()) reject(lost)
    this.#answers.clear()
  }
}

const lends = ({ branches, deadLetters }: TaskResult): boolean =>
  [...deadLetters, ...branches.flatMap(branch => branch.files.flat())].some(({ bytes }) => isShared(bytes))
