import { asMillraceError } from '../base/errors.ts'
import { partitionKey } from '../ingest/offset-range.ts'
import { isWorthRetrying, taskFailed } from './attempts.ts'
import { offsetRanges, type Task } from './task.ts'

/** A task on its way to a result. */
export interface Attempt {
  readonly task: Task
  /**
   * The first partition that the task reads stands for all: tasks are mostly made of the same ones. Objects are at home
   * nowhere (`null`).
   */
  readonly partition: string | null
  /** Place of its result among the results. */
  readonly position: number
  readonly failures: number
}

/** Which worker read a partition last: it has the next rows of it in its memory already. Kept between micro-batches. */
export type PartitionHomes = Map<string, number>

/**
 * The tasks of one run that wait for a worker. A worker gets a task of a partition that is at home with it, else
 * one of a partition without a home, else the last one that waits for another worker, so that nobody is idle
 * while there is work; the partition's home moves along.
 */
export class TaskQueue {
  readonly #waiting: Attempt[]
  readonly #homes: PartitionHomes
  readonly #maxFailures: number

  constructor(tasks: readonly Task[], homes: PartitionHomes, maxFailures: number) {
    this.#waiting = tasks.map((task, position) => ({ task, partition: firstPartition(task), position, failures: 0 }))
    this.#homes = homes
    this.#maxFailures = maxFailures
  }

  /** Takes the task that `worker` should run next, or `null` where none waits. */
  take(worker: number): Attempt | null {
    const at = this.#choose(worker)
    const [attempt] = at === -1 ? [] : this.#waiting.splice(at, 1)
    if (attempt === undefined) return null
    for (const range of offsetRanges(attempt.task)) this.#homes.set(partitionKey(range), worker)
    return attempt
  }

  /** Puts a failed task back in front, or throws where it has failed for good. @throws TASK_FAILED */
  failed(attempt: Attempt, error: unknown): void {
    const failures = attempt.failures + 1
    if (failures >= this.#maxFailures || !isWorthRetrying(asMillraceError(error).code)) {
      throw taskFailed(attempt.task, failures, error)
    }
    this.#waiting.unshift({ ...attempt, failures })
  }

  #choose(worker: number): number {
    const homeOf = ({ partition }: Attempt) => this.#homes.get(partition ?? '')
    const own = this.#waiting.findIndex(attempt => homeOf(attempt) === worker)
    if (own !== -1) return own
    const homeless = this.#waiting.findIndex(attempt => homeOf(attempt) === undefined)
    return homeless === -1 ? this.#waiting.length - 1 : homeless
  }
}

const firstPartition = (task: Task): string | null => {
  const [first] = offsetRanges(task)
  return first === undefined ? null : partitionKey(first)
}
