import { utf8Text } from '../base/text.ts'
import { BEFORE_ALL_TIME } from '../base/units.ts'
import type { BranchPlan, PipelinePlan } from '../pipeline/plan.ts'
import type { SimRecord } from './topic.ts'

interface Column {
  /** Way to the value in the record's JSON. */
  readonly path: readonly string[]
  readonly delayMs: number
}

/**
 * How far the event time of each partition has come, read from the records themselves. Only for branches whose windows go by
 * a column that no stage replaces.
 */
export class EventTimes {
  readonly #columns: readonly (Column | null)[]
  /** By branch and partition. */
  readonly #greatest = new Map<string, number>()

  constructor(plan: PipelinePlan) {
    this.#columns = plan.branches.map(branch => columnOf(plan, branch))
  }

  /** Times after `limit` say nothing of how far a partition has come. */
  seen(partition: number, records: readonly SimRecord[], limit: number): void {
    if (this.#columns.every(column => column === null)) return
    for (const { value } of records) {
      const row = parsed(value)
      for (const [branch, column] of this.#columns.entries()) {
        const time = column === null ? null : timeIn(row, column.path)
        const key = `${branch}/${partition}`
        if (time !== null && time <= limit && time > (this.#greatest.get(key) ?? BEFORE_ALL_TIME))
          this.#greatest.set(key, time)
      }
    }
  }

  /** No watermark may lie beyond it while rows wait in the partition; `null` where nothing can be said. */
  bound(branch: number, partition: number): number | null {
    const column = this.#columns[branch] ?? null
    return column === null ? null : (this.#greatest.get(`${branch}/${partition}`) ?? BEFORE_ALL_TIME) - column.delayMs
  }
}

const columnOf = (plan: PipelinePlan, { aggregation, stages }: BranchPlan): Column | null => {
  const window = aggregation?.window ?? null
  if (window === null || plan.format.kind !== 'json') return null
  const { eventTime, delayMs } = window
  const isRead = plan.format.schema.fields.some(({ name }) => name === eventTime)
  const isReplaced = stages.some(
    stage =>
      stage.kind === 'map' || stage.kind === 'flatMap' || (stage.kind === 'withColumn' && stage.name === eventTime),
  )
  return isRead && !isReplaced ? { path: eventTime.split('.'), delayMs } : null
}

const parsed = (value: Uint8Array): unknown => {
  try {
    return JSON.parse(utf8Text(value))
  } catch {
    return null
  }
}

const timeIn = (row: unknown, path: readonly string[]): number | null => {
  const value = path.reduce<unknown>(
    (at, name) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[name] : null),
    row,
  )
  const time = typeof value === 'string' ? Date.parse(value) : value
  return typeof time === 'number' && Number.isFinite(time) ? time : null
}
