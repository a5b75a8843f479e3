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

const sizeOf = (node: HeapProfiler.SamplingHeapProfileNode): number =>
  node.children.reduce((sum, child) => sum + sizeOf(child), node.selfSize)
