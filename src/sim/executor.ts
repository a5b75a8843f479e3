import { MillraceError } from '../base/errors.ts'
import type { Executor, TaskResult } from '../executor/task.ts'
import { type PartitionHomes, TaskQueue } from '../executor/task-queue.ts'
import type { TaskRunner } from '../executor/task-runner.ts'

const MAX_FAILURES = 3

/**
 * Several workers in one thread: each runs one task at a time, and the world decides whose call is answered first. The queue,
 * the attempts and the runners are the product's; only the threads are missing.
 */
export const simulatedExecutor = (workers: readonly TaskRunner[]): Executor => {
  const homes: PartitionHomes = new Map()
  return {
    async run(tasks, signal) {
      const queue = new TaskQueue(tasks, homes, MAX_FAILURES)
      const results = new Map<number, TaskResult>()
      const work = async (runner: TaskRunner, worker: number): Promise<void> => {
        for (let next = queue.take(worker); next !== null; next = queue.take(worker)) {
          if (signal.aborted) throw abandoned()
          try {
            results.set(next.position, await runner.run(next.task, signal))
          } catch (error) {
            queue.failed(next, error)
          }
        }
      }
      await Promise.all(workers.map(work))
      return tasks.map((_, at) => results.get(at) as TaskResult)
    },
    close: async () => {
      await Promise.all(workers.map(runner => runner.close()))
    },
  }
}

const abandoned = (): MillraceError =>
  new MillraceError('ABORTED', 'the micro-batch was stopped', { remedy: 'Nothing: it was stopped on purpose.' })
