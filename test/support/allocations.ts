import type { HeapProfiler } from 'node:inspector'
import { Session } from 'node:inspector/promises'

/** Bytes allocated on the JavaScript heap while `work` runs, collected or not, by V8's sampling heap profiler. */
export const allocatedBy = async (work: () => unknown): Promise<number> => {
  const session = new Session()
  session.connect()
  await session.post('HeapProfiler.startSampling', {
    samplingInterval: 256,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  })
  await work()
  const { profile } = await session.post('HeapProfiler.stopSampling')
  session.disconnect()
  return sizeOf(profile.head)
}

/** Rounds without a profiler before each measurement: starting one throws away compiled code. */
const WARM_UP_ROUNDS = 5

/**
 * As `allocatedBy` for work that is warm. On a busy machine the compiler comes late, so what is above `limit` is warmed up
 * and measured again, up to six times, and the least counts: objects that the work makes are there each time.
 */
export const allocatedWhenWarm = async (work: () => unknown, limit: number): Promise<number> => {
  let least = Number.POSITIVE_INFINITY
  for (let measurement = 0; measurement < 6 && least >= limit; measurement += 1) {
    for (let round = 0; round < WARM_UP_ROUNDS; round += 1) await work()
    least = Math.min(least, await allocatedBy(work))
  }
  return least
}

/** What the profiler takes to start and stop is not the work's. */
const isOurs = ({ callFrame }: HeapProfiler.SamplingHeapProfileNode): boolean =>
  !callFrame.url.startsWith('node:inspector')

const sizeOf = (node: HeapProfiler.SamplingHeapProfileNode): number =>
  node.children.reduce((sum, child) => sum + sizeOf(child), isOurs(node) ? node.selfSize : 0)
