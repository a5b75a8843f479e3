import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { batchId, epochMs, offset } from '../../../src/base/units.ts'
import type { Task } from '../../../src/executor/task.ts'
import { threadExecutor } from '../../../src/executor/threads/thread-executor.ts'
import { SpareBuffers } from '../../../src/sinks/spare-buffers.ts'
import { bundleWorker } from './fixtures/bundle-worker.ts'
import type { Script } from './fixtures/scripted-worker.ts'

const MIB = 1_048_576
const REUSED_AT = 99

let worker: Awaited<ReturnType<typeof bundleWorker>>
beforeAll(async () => {
  worker = await bundleWorker('scripted-worker')
})
afterAll(() => worker.remove())

const task = (index: number): Task => ({
  batchId: batchId(0),
  index,
  split: { ranges: [{ topic: 'plays', partition: index, from: offset(0), until: offset(10) }] },
  watermarks: [],
  triggeredAt: epochMs(0),
})

test('a large file stays in the memory of its worker, which serves again from the next run on', async () => {
  const counters = new Int32Array(new SharedArrayBuffer(4 * 100))
  const script: Script = { counters, tasks: { 0: { kind: 'large', bytes: 2 * MIB }, 1: { kind: 'slow', ms: 1 } } }
  const executor = threadExecutor({ workerUrl: worker.url, workerData: script, workers: 1 })
  const run = (...tasks: readonly Task[]) => executor.run(tasks, new AbortController().signal)

  const [large, small] = (await run(task(0), task(1))).map(result => result.deadLetters[0]?.bytes)
  expect(large?.length).toBe(2 * MIB)
  expect(large?.buffer.byteLength).toBe(4 * MIB)
  expect(Buffer.from(small ?? []).toString()).toBe('task 1')
  expect(Atomics.load(counters, REUSED_AT)).toBe(0)

  await run(task(2))
  expect(Atomics.load(counters, REUSED_AT)).toBe(1)
  await run(task(3))
  expect(Atomics.load(counters, REUSED_AT)).toBe(1)
  await executor.close()
})

const sizes = fc.array(fc.integer({ min: 0, max: 40 * MIB }), { maxLength: 12 })

test('memory that is taken holds what was asked for, is nobody else’s, and what is kept is bounded', () => {
  fc.assert(
    fc.property(sizes, sizes, (first, second) => {
      const buffers = new SpareBuffers()
      const old = new Set(first.map(bytes => buffers.take(bytes).buffer))
      buffers.reuse()
      const taken = second.map(bytes => buffers.take(bytes))
      expect(taken.map(({ length }) => length)).toEqual(second)
      expect(new Set(taken.map(({ buffer }) => buffer)).size).toBe(taken.length)
      const reused = taken.filter(({ buffer }) => old.has(buffer))
      expect(reused.reduce((sum, { buffer }) => sum + buffer.byteLength, 0)).toBeLessThanOrEqual(64 * MIB)
    }),
  )
})

test('a file is written into the memory of one before that was large enough, once that is not needed any more', () => {
  const buffers = new SpareBuffers()
  const first = buffers.take(10 * MIB)
  const second = buffers.take(9 * MIB)
  expect(second.buffer).not.toBe(first.buffer)
  buffers.reuse()
  expect(buffers.take(11 * MIB).buffer).toBe(second.buffer)
  expect(buffers.take(11 * MIB).buffer).toBe(first.buffer)
  expect([first.buffer, second.buffer]).not.toContain(buffers.take(2 * MIB).buffer)
})
