import type { PlanEntry } from '../checkpoint/entries.ts'
import type { Task } from '../executor/task.ts'

/** Few have more workers than that; a task costs half a millisecond, however little it reads, and its files are apart. */
const MOST_TASKS = 16
/** Fewer rows than that are read by the way, even where stages are slow. */
const LEAST_ROWS = 8

/**
 * The tasks of a plan: each reads one range, or several neighbours where there are many ranges or few rows. They follow from
 * the logged plan alone: how many workers there are changes nothing.
 */
export const tasksOf = (plan: PlanEntry): readonly Task[] => {
  const ranges = plan.ranges.filter(({ from, until }) => until > from)
  const rows = ranges.reduce((sum, { from, until }) => sum + until - from, 0)
  const count = Math.min(ranges.length, MOST_TASKS, Math.ceil(rows / LEAST_ROWS))
  const first = (task: number): number => Math.ceil((task * ranges.length) / count)
  return Array.from({ length: count }, (_, index) => ({
    batchId: plan.batchId,
    index,
    split: { ranges: ranges.slice(first(index), first(index + 1)) },
    watermarks: plan.watermarks,
    triggeredAt: plan.triggeredAt,
  }))
}
