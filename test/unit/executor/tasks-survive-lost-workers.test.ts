import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { batchId, epochMs, offset } from '../../../src/base/units.ts'
import type { Executor, Task } from '../../../src/executor/task.ts'
import { type ThreadExecutorOptions, threadExecutor } from '../../../src/executor/threads/thread-executor.ts'
import { bundleWorker } from './fixtures/bundle-worker.ts'
import type { Script, Step } from './fixtures/scripted-worker.ts'

let worker: Awaited<ReturnType<typeof bundleWorker>>
beforeAll(async () => {
  worker = await bundleWorker('scripted-worker')
})
afterAll(() => worker.remove())

const executors: Executor[] = []
afterEach(async () => {
  await Promise.all(executors.splice(0).map(executor => executor.close()))
})

const task = (index: number, partition = index): Task => ({
  batchId: batchId(0),
  index,
  split: { ranges: [{ topic: 'plays', partition, from: offset(0), until: offset(10) }] },
  watermarks: [],
  triggeredAt: epochMs(0),
})
const tasks = (count: number): readonly Task[] => Array.from({ length: count }, (_, index) => task(index))

const start = (
  steps: Readonly<Record<number, Step>>,
  options: Partial<ThreadExecutorOptions> & { readonly start?: Script['start'] } = {},
) => {
  const counters = new Int32Array(new SharedArrayBuffer(4 * 100))
  const { start: how, ...rest } = options
  const script: Script = { counters, tasks: steps, ...(how === undefined ? {} : { start: how }) }
  const started = threadExecutor({ workerUrl: worker.url, workerData: script, workers: 2, graceMs: 300, ...rest })
  executors.push(started)
  return {
    begin: () => started.start(),
    run: (list: readonly Task[], signal = new AbortController().signal) => started.run(list, signal),
    starts: () => Atomics.load(counters, 0),
    attempts: (index: number) => Atomics.load(counters, 1 + index),
  }
}

test('results come in the order of the tasks, whoever was faster, in buffers of their own', async () => {
  const { run } = start({ 0: { kind: 'slow', ms: 60 } })
  const results = await run(tasks(7))
  expect(results.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6])
  const file = results[3]?.deadLetters[0]
  expect(Buffer.from(file?.bytes ?? []).toString()).toBe('task 3')
  expect(file?.bytes.byteLength).toBe(file?.bytes.buffer.byteLength)
})

test('workers that were started before are there for the first tasks, and start once', async () => {
  const { begin, run, starts } = start({})
  await begin()
  expect(starts()).toBe(2)
  await run(tasks(4))
  expect(starts()).toBe(2)
})

test('a worker that can not be started fails its task, not the start', async () => {
  const { begin, run } = start({}, { start: 'fails' })
  await begin()
  await expect(run(tasks(1))).rejects.toMatchObject({ code: expect.any(String) })
})

test('a partition stays with the worker that read it last; an idle worker takes what waits', async () => {
  const { run } = start({})
  const threadOf = async (list: readonly Task[]) =>
    (await run(list)).map(({ deadLetters }) => deadLetters[0]?.partition)
  const homes = new Set<string | undefined>()
  for (let batch = 0; batch < 5; batch++) homes.add((await threadOf([task(0, 3)]))[0])
  expect(homes.size).toBe(1)
  const { run: runSlow } = start({ 0: { kind: 'slow', ms: 100 }, 1: { kind: 'slow', ms: 100 } })
  await runSlow([task(2, 3)])
  const both = await runSlow([task(0, 3), task(1, 3)])
  expect(new Set(both.map(({ deadLetters }) => deadLetters[0]?.partition)).size).toBe(2)
})

test('a task that fails twice succeeds the third time', async () => {
  const { run, attempts } = start({ 1: { kind: 'fail', times: 2, code: 'STORE_FAILED' } })
  expect(await run(tasks(3))).toHaveLength(3)
  expect(attempts(1)).toBe(3)
  expect(attempts(0)).toBe(1)
})

test('a worker that ends is replaced and its task repeated', async () => {
  const lines: string[] = []
  const { run, attempts, starts } = start({ 0: { kind: 'exitOnce' } }, { log: line => lines.push(line), workers: 1 })
  expect(await run(tasks(3))).toHaveLength(3)
  expect(attempts(0)).toBe(2)
  expect(starts()).toBe(2)
  expect(lines).toHaveLength(1)
})

test.each([
  ['exit', 'WORKER_LOST', /exit code 7/],
  ['spin', 'WORKER_LOST', /given up after 300 ms/],
  ['throwString', 'BUG', /only text/],
] as const)('after three attempts that end in %s the run fails with the last reason', async (kind, code, message) => {
  const { run, attempts } = start({ 1: { kind } }, { taskTimeoutMs: 300 })
  await expect(run(tasks(3))).rejects.toMatchObject({
    code: 'TASK_FAILED',
    message: expect.stringMatching(message),
    cause: { code },
    details: { task: 1, attempts: 3 },
  })
  expect(attempts(1)).toBe(3)
})

test('a stage that failed keeps its coordinates and the stack of its cause across threads', async () => {
  const { run } = start({ 0: { kind: 'fail', times: 9, code: 'STAGE_FAILED' } })
  const error = await run(tasks(1)).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({
    code: 'TASK_FAILED',
    remedy: 'Try again.',
    details: { offset: 5, code: 'STAGE_FAILED' },
  })
  expect((error as { cause: Error }).cause.stack).toContain('caused by: Error: deep')
})

test('lost data is not asked for again, and the other tasks are stopped', async () => {
  const { run, attempts } = start({
    0: { kind: 'fail', times: 9, code: 'DATA_LOST' },
    1: { kind: 'waitForAbort' },
  })
  await expect(run(tasks(2))).rejects.toMatchObject({ code: 'DATA_LOST' })
  expect(attempts(0)).toBe(1)
  expect(attempts(1)).toBeLessThanOrEqual(1)
})

test.each(['waitForAbort', 'spin'] as const)(
  'an abort stops workers that %s; the executor can be used again',
  async kind => {
    const { run, attempts } = start({ 0: { kind } })
    const controller = new AbortController()
    const running = run(tasks(1), controller.signal)
    while (attempts(0) === 0) await new Promise(resolve => setTimeout(resolve, 5))
    controller.abort()
    await expect(running).rejects.toMatchObject({ code: 'ABORTED' })
    expect(await run([task(5)])).toHaveLength(1)
  },
)

test('a run that is aborted before it begins does nothing', async () => {
  const { run, attempts } = start({})
  await expect(run(tasks(2), AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' })
  expect(attempts(0) + attempts(1)).toBe(0)
})

test.each([
  ['fails', 'PIPELINE_NOT_LOADABLE', 1, 30_000],
  ['exits', 'TASK_FAILED', 3, 30_000],
  // long enough for a busy machine to start a thread
  ['hangs', 'TASK_FAILED', 3, 1500],
] as const)('workers whose start %s are not started for ever', async (how, code, starts, startTimeoutMs) => {
  const { run, starts: count } = start({}, { start: how, workers: 1, startTimeoutMs })
  await expect(run(tasks(4))).rejects.toMatchObject({ code })
  expect(count()).toBe(starts)
})
