import { aborted } from '../base/abortable.ts'
import { asMillraceError } from '../base/errors.ts'
import { DEFAULT_MAX_FAILURES, isWorthRetrying, taskFailed } from './attempts.ts'
import type { Executor, Task, TaskResult } from './task.ts'
import type { TaskRunner } from './task-runner.ts'

export interface InlineExecutorOptions {
  /** Attempts per task. Default 3. */
  readonly maxFailures?: number
}

/** Runs tasks one after the other in the caller's own thread: the reference that threads are compared to. */
export const inlineExecutor = (runner: TaskRunner, options: InlineExecutorOptions = {}): Executor => {
  const maxFailures = options.maxFailures ?? DEFAULT_MAX_FAILURES
  return {
    async run(tasks, signal) {
      runner.reuse()
      const results: TaskResult[] = []
      for (const task of tasks) results.push(await attempt(runner, task, signal, maxFailures))
      return results
    },
    close: () => runner.close(),
  }
}

const attempt = async (
  runner: TaskRunner,
  task: Task,
  signal: AbortSignal,
  maxFailures: number,
): Promise<TaskResult> => {
  for (let failures = 1; ; failures++) {
    if (signal.aborted) throw aborted('the micro-batch')
    try {
      return await runner.run(task, signal)
    } catch (error) {
      if (signal.aborted) throw aborted('the micro-batch')
      if (failures >= maxFailures || !isWorthRetrying(asMillraceError(error).code)) {
        throw taskFailed(task, failures, error)
      }
    }
  }
}
