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

test('a large file moves in its buffer, which is there until the next run and then goes back to its worker', async () => {
  const counters = new Int32Array(new SharedArrayBuffer(4 * 100))
  const script: Script = { counters, tasks: { 0: { kind: 'large', bytes: 2 * MIB }, 1: { kind: 'slow', ms: 1 } } }
  const executor = threadExecutor({ workerUrl: worker.url, workerData: script, workers: 1 })
  const run = (...tasks: readonly Task[]) => executor.run(tasks, new AbortController().signal)

  const [large, small] = (await run(task(0), task(1))).map(result => result.deadLetters[0]?.bytes)
  expect(large?.length).toBe(2 * MIB)
  expect(large?.buffer.byteLength).toBe(4 * MIB)
  expect(Atomics.load(counters, REUSED_AT)).toBe(0)

  await run(task(2))
  expect(large?.length).toBe(0)
  expect(Buffer.from(small ?? []).toString()).toBe('task 1')
  expect(Atomics.load(counters, REUSED_AT)).toBe(1)
  await executor.close()
})

test('memory that is taken holds what was asked for, is nobody else’s, and what is kept is bounded', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 40 * MIB }), { maxLength: 12 })
  fc.assert(
    fc.property(sizes, sizes, (first, second) => {
      const spare = new SpareBuffers()
      const files = first.map(bytes => spare.take(bytes))
      spare.giveBack(files.map(({ buffer }) => buffer as ArrayBuffer))
      const taken = second.map(bytes => spare.take(bytes))
      expect(taken.map(({ length }) => length)).toEqual(second)
      expect(taken.every(({ byteOffset }) => byteOffset === 0)).toBe(true)
      expect(new Set(taken.map(({ buffer }) => buffer)).size).toBe(taken.length)
      const old = new Set(files.map(({ buffer }) => buffer))
      const reused = taken.filter(({ buffer }) => old.has(buffer))
      expect(reused.reduce((sum, { buffer }) => sum + buffer.byteLength, 0)).toBeLessThanOrEqual(64 * MIB)
    }),
  )
})

test('a file is written into the buffer of one before that was large enough', () => {
  const spare = new SpareBuffers()
  const first = spare.take(10 * MIB)
  spare.giveBack([first.buffer as ArrayBuffer])
  expect(spare.take(11 * MIB).buffer).toBe(first.buffer)
  expect(spare.take(11 * MIB).buffer).not.toBe(first.buffer)
})
