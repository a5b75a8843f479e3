import type { PlanEntry } from '../checkpoint/entries.ts'
import type { Task } from '../executor/task.ts'

/** One task for each logged split that holds offsets: how many workers there are changes nothing. */
export const tasksOf = (plan: PlanEntry): readonly Task[] =>
  plan.ranges
    .map((split, index) => ({
      batchId: plan.batchId,
      index,
      split,
      watermarks: plan.watermarks,
      triggeredAt: plan.triggeredAt,
    }))
    .filter(task => task.split.until > task.split.from)
