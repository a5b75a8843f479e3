import { MillraceError } from '../base/errors.ts'
import { offset } from '../base/units.ts'
import type { PartitionOffset, SourcePlanner, SourceReader } from '../ingest/source.ts'
import type { SimProcess } from './process.ts'
import { recordBatch } from './record-batches.ts'
import type { SimRecord, Topic } from './topic.ts'

/** How a simulated source behaves. */
export interface SourceBehaviour {
  readonly failOnDataLoss: boolean
  /** How many offsets at the end of a partition its leader does not know, drawn for each look. */
  readonly lag: () => number
  /** Records of one fetch. */
  readonly fetchRecords: number
}

const ends = (topic: Topic, of: 'earliest' | 'end'): readonly PartitionOffset[] =>
  topic.partitions.map((each, partition) => ({ topic: topic.name, partition, offset: offset(each[of]) }))

/** The driver's way to the topic. */
export const sourcePlanner = (topic: Topic, process: SimProcess, behaviour: SourceBehaviour): SourcePlanner => ({
  description: `simulated ${topic.name}`,
  identity: () => process.call('source', 'identity', topic.name, () => `simulated-${topic.name}`),
  startingOffsets: () => process.call('source', 'startingOffsets', topic.name, () => ends(topic, 'earliest')),
  bounds: () => process.call('source', 'bounds', topic.name, () => topic.bounds(behaviour.lag)),
  endingOffsets: () => Promise.resolve(null),
  committed: async () => {
    await process.call('source', 'mirror', topic.name, () => undefined)
  },
  close: () => Promise.resolve(),
})

/** A worker's way to the topic: some records for each request, nothing outside the range. */
export const sourceReader = (topic: Topic, process: SimProcess, behaviour: SourceBehaviour): SourceReader => {
  let bytesRead = 0
  return {
    get bytesRead() {
      return bytesRead
    },
    async *read({ partition, from, until }, signal) {
      for (let position: number = from; position < until && !signal.aborted; ) {
        const about = `${topic.name}/${partition} from ${position}`
        const at = position
        const fetched = await process.call('source', 'fetch', about, () =>
          fetch(topic, partition, at, until, behaviour),
        )
        position = fetched.next
        bytesRead += fetched.records.reduce((bytes, { value }) => bytes + value.length, 0)
        if (fetched.records.length > 0) yield recordBatch(topic.name, partition, fetched.records)
      }
    },
    prefetch: () => undefined,
    close: () => Promise.resolve(),
  }
}

interface Fetched {
  readonly records: readonly SimRecord[]
  /** Where to go on: behind the last record, or behind the range where only a gap is left. */
  readonly next: number
}

const fetch = (topic: Topic, partition: number, at: number, until: number, behaviour: SourceBehaviour): Fetched => {
  const { earliest, end } = topic.partition(partition)
  if (at < earliest) {
    if (behaviour.failOnDataLoss) throw gone(topic.name, partition, at, earliest)
    return { records: [], next: Math.min(until, earliest) }
  }
  if (end < until) {
    throw new MillraceError('LEADER_CHANGED', `simulated: ${topic.name}/${partition} ends at ${end}`, {
      remedy: 'Ask again.',
    })
  }
  const records = topic.recordsIn(partition, at, until).slice(0, behaviour.fetchRecords)
  const last = records.at(-1)
  return { records, next: last === undefined || records.length < behaviour.fetchRecords ? until : last.offset + 1 }
}

const gone = (topic: string, partition: number, at: number, earliest: number): MillraceError =>
  new MillraceError('DATA_LOST', `simulated: ${topic}/${partition}: offsets ${at} to ${earliest - 1} are gone`, {
    remedy: 'Nothing: the simulation deletes records.',
  })
