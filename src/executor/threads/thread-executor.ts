import { aborted } from '../../base/abortable.ts'
import { assert } from '../../base/assert.ts'
import { DEFAULT_MAX_FAILURES } from '../attempts.ts'
import type { Executor, Task, TaskResult } from '../task.ts'
import { type PartitionHomes, TaskQueue } from '../task-queue.ts'
import { WorkerSlot } from './worker-slot.ts'

export interface ThreadExecutorOptions {
  /** The worker's entry file, which calls `serveTasks`. */
  readonly workerUrl: URL
  /** Plain data that the entry file makes its runner from. */
  readonly workerData: unknown
  /** Number of threads, 1 or more. */
  readonly workers: number
  /** Attempts per task, whether it failed or its worker was lost. Default 3. */
  readonly maxFailures?: number
  /** A task that takes longer counts as a lost worker. Default 10 minutes. */
  readonly taskTimeoutMs?: number
  /** How long a worker may take to start. Default 1 minute. */
  readonly startTimeoutMs?: number
  /** How long a worker may take to obey before it is terminated. Default 5 s. */
  readonly graceMs?: number
  /** Told of workers lost and replaced, one line each. */
  readonly log?: (line: string) => void
}

export interface ThreadExecutor extends Executor {
  /** Starts all workers, so that the first tasks need not wait for them; one that can't start fails its first task. */
  start(): Promise<void>
}

/**
 * Runs tasks on worker threads, one at a time on each, which start with the first tasks unless they were started before. Results are in the order of
 * the tasks, whoever ran them. The first task that fails for good, or an abort, cancels the others; `run` waits until
 * they have stopped. Workers that are lost are replaced as often as the attempts of their tasks allow.
 */
export const threadExecutor = (options: ThreadExecutorOptions): ThreadExecutor => {
  assert(Number.isInteger(options.workers) && options.workers > 0, 'an executor has a whole number of workers')
  const slotOptions = {
    workerUrl: options.workerUrl,
    workerData: options.workerData,
    taskTimeoutMs: options.taskTimeoutMs ?? 600_000,
    startTimeoutMs: options.startTimeoutMs ?? 60_000,
    graceMs: options.graceMs ?? 5_000,
    log: options.log ?? (() => undefined),
  }
  const slots = Array.from({ length: options.workers }, (_, number) => new WorkerSlot(number, slotOptions))
  const homes: PartitionHomes = new Map()
  const maxFailures = options.maxFailures ?? DEFAULT_MAX_FAILURES
  let running = false
  return {
    async start() {
      await Promise.allSettled(slots.map(slot => slot.start()))
    },
    async run(tasks, signal) {
      assert(!running, 'an executor runs one micro-batch at a time')
      running = true
      for (const slot of slots) slot.reuse()
      try {
        return await runOn(slots, new TaskQueue(tasks, homes, maxFailures), tasks, signal)
      } finally {
        running = false
      }
    },
    async close() {
      await Promise.all(slots.map(slot => slot.close()))
    },
  }
}

const runOn = async (
  slots: readonly WorkerSlot[],
  queue: TaskQueue,
  tasks: readonly Task[],
  signal: AbortSignal,
): Promise<readonly TaskResult[]> => {
  const results = Array.from<TaskResult>({ length: tasks.length })
  const stop = new AbortController()
  const onAbort = () => stop.abort()
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) stop.abort()
  const failures: unknown[] = []
  const work = async (slot: WorkerSlot, number: number): Promise<void> => {
    try {
      await drain(slot, number, queue, results, stop.signal)
    } catch (error) {
      failures.push(error)
      stop.abort()
    }
  }
  try {
    await Promise.all(slots.map(work))
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
  if (signal.aborted) throw aborted('the micro-batch')
  if (failures.length > 0) throw failures[0]
  return results
}

/** One worker's share of a run: takes tasks until none waits. A task that fails goes back, and this worker goes on. */
const drain = async (
  slot: WorkerSlot,
  number: number,
  queue: TaskQueue,
  results: TaskResult[],
  signal: AbortSignal,
): Promise<void> => {
  for (let attempt = queue.take(number); attempt !== null; attempt = queue.take(number)) {
    if (signal.aborted) throw aborted('the micro-batch')
    try {
      results[attempt.position] = await slot.run(attempt.task, signal)
    } catch (error) {
      if (signal.aborted) throw aborted('the micro-batch')
      queue.failed(attempt, error)
    }
  }
}
