import fc from 'fast-check'
import { expect, test } from 'vitest'
import { batchId, driverEpoch, epochMs, offset } from '../../../src/base/units.ts'
import type { PlanEntry } from '../../../src/checkpoint/entries.ts'
import { offsetRanges } from '../../../src/executor/task.ts'
import { tasksOf } from '../../../src/microbatch/tasks.ts'

const planOf = (lengths: readonly number[]): PlanEntry => ({
  batchId: batchId(7),
  epoch: driverEpoch(1),
  nonce: 'n',
  triggeredAt: epochMs(0),
  ranges: lengths.map((rows, partition) => ({ topic: 't', partition, from: offset(5), until: offset(5 + rows) })),
  watermarks: [epochMs(3)],
  flush: false,
})

test('once and in order, by few tasks, none of which is idle', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(200), { maxLength: 300 }), lengths => {
      const plan = planOf(lengths)
      const tasks = tasksOf(plan)
      const wanted = plan.ranges.filter(({ from, until }) => until > from)
      expect(tasks.flatMap(offsetRanges)).toEqual(wanted)
      expect(tasks.map(({ index }) => index)).toEqual([...tasks.keys()])
      expect(tasks.length).toBeLessThanOrEqual(16)
      const sizes = tasks.map(task => offsetRanges(task).length)
      if (sizes.length > 0) expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      if (sizes.length > 0) expect(Math.min(...sizes)).toBeGreaterThan(0)
    }),
  )
})

test('a few partitions with rows enough have a task each, a trickle over many has one', () => {
  expect(tasksOf(planOf([1000, 1000, 0, 1000])).map(task => offsetRanges(task).length)).toEqual([1, 1, 1])
  expect(tasksOf(planOf([1, 2, 1, 1])).map(task => offsetRanges(task).length)).toEqual([4])
})
