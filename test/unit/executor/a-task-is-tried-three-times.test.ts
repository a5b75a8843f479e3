import { expect, test } from 'vitest'
import { type ErrorCode, MillraceError } from '../../../src/base/errors.ts'
import { batchId, epochMs } from '../../../src/base/units.ts'
import { inlineExecutor } from '../../../src/executor/inline-executor.ts'
import type { Task } from '../../../src/executor/task.ts'
import { TaskQueue } from '../../../src/executor/task-queue.ts'
import { generatedRecords, playsRunner } from './fixtures/plays.ts'
import { range } from './fixtures/record-source.ts'

const task = (index: number, partition = 0): Task => ({
  batchId: batchId(0),
  index,
  split: { ranges: [range(index * 10, index * 10 + 10, partition, '7')] },
  watermarks: [epochMs(0), epochMs(0)],
  triggeredAt: epochMs(0),
})

/** A runner whose reader fails so many times. */
const failing = (times: number, code: ErrorCode) => {
  let failures = 0
  const runner = playsRunner(4, (topic, partition) => {
    if (failures++ < times) throw new MillraceError(code, 'no luck', { remedy: 'Try again.' })
    return generatedRecords(topic, partition)
  })
  return { executor: inlineExecutor(runner), attempts: () => failures }
}
const { signal } = new AbortController()

test('a reader that fails twice costs nothing but time', async () => {
  const { executor } = failing(2, 'BROKER_TIMEOUT')
  const undisturbed = await failing(0, 'BROKER_TIMEOUT').executor.run([task(0), task(1)], signal)
  expect(await executor.run([task(0), task(1)], signal)).toEqual(undisturbed)
})

test('the third failure ends the run and tells the last reason', async () => {
  const { executor, attempts } = failing(9, 'BROKER_TIMEOUT')
  await expect(executor.run([task(2)], signal)).rejects.toMatchObject({
    code: 'TASK_FAILED',
    message: 'task 2 (7/0 offsets 20 to 29) failed 3 times, the last time with BROKER_TIMEOUT: no luck',
    remedy: 'Try again.',
  })
  expect(attempts()).toBe(3)
})

test.each<ErrorCode>(['DATA_LOST', 'TOO_MANY_BAD_ROWS', 'INVALID_PIPELINE', 'FENCED', 'ABORTED'])(
  '%s is not tried again',
  async code => {
    const { executor, attempts } = failing(9, code)
    await expect(executor.run([task(0)], signal)).rejects.toMatchObject({ code })
    expect(attempts()).toBe(1)
  },
)

test('an aborted run stops and says so', async () => {
  const controller = new AbortController()
  const runner = playsRunner(4, (topic, partition) => {
    controller.abort()
    return generatedRecords(topic, partition)
  })
  await expect(inlineExecutor(runner).run([task(0), task(1)], controller.signal)).rejects.toMatchObject({
    code: 'ABORTED',
  })
})

test('a waiting task goes to the home of its partition, then to whoever is free, and a failed one comes back first', () => {
  const homes = new Map([
    ['7/0', 0],
    ['7/1', 1],
  ])
  const queue = new TaskQueue([task(0, 1), task(1, 0), task(2, 2), task(3, 1)], homes, 3)
  const taken = (worker: number) => queue.take(worker)
  const first = taken(0)
  expect(first?.task.index).toBe(1)
  expect(taken(1)?.task.index).toBe(0)
  expect(taken(0)?.task.index).toBe(2)
  expect(taken(0)?.task.index).toBe(3)
  expect(homes.get('7/1')).toBe(0)
  expect(taken(1)).toBeNull()
  if (first !== null) queue.failed(first, new Error('once'))
  expect(taken(1)).toMatchObject({ task: { index: 1 }, failures: 1 })
})

test('an abort is heard between the batches of a source that never waits', async () => {
  const controller = new AbortController()
  const runner = playsRunner(1, generatedRecords, { pause: () => new Promise(resolve => setImmediate(resolve)) })
  setImmediate(() => controller.abort())
  await expect(runner.run(task(0), controller.signal)).rejects.toMatchObject({ code: 'ABORTED' })
})
