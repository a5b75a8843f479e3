import { type SourceRecord, type SourceUnderTest, sourcePromises } from 'millrace/testing'
import { describe, it } from 'vitest'
import { utf8Bytes } from '../../../src/base/text.ts'
import { ByteWriter } from '../../../src/ingest/datagen/byte-writer.ts'
import { DATAGEN_TOPIC, datagenPlanner, datagenReader } from '../../../src/ingest/datagen/datagen-source.ts'
import { PlaybackEvents } from '../../../src/ingest/datagen/playback-events.ts'
import { datagen } from '../../../src/pipeline/sources.ts'
import { sourcePlanner, sourceReader } from '../../../src/sim/source-client.ts'
import { Topic } from '../../../src/sim/topic.ts'
import { RunningWorld } from '../../support/simulated-process.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const ROWS = 10_000

const openDatagen = (): SourceUnderTest => {
  const node = datagen({ partitions: 2, rowsPerPartition: ROWS, rowsPerSecond: 1000, seed: 3 })
  const clock = new VirtualClock()
  const planner = datagenPlanner(node, clock)
  clock.advance(100 * ROWS)
  const millisPerEvent = 2
  const events = new PlaybackEvents({ seed: 3, size: 'small', startTime: node.startTime, millisPerEvent })
  const out = new ByteWriter(4096)
  const records = Array.from({ length: ROWS }, (_, offset): SourceRecord => {
    out.length = 0
    events.write(out, 1, offset)
    return { offset, value: Buffer.from(out.bytes.subarray(0, out.length)).toString() }
  })
  const openReader = () => datagenReader(node)
  return { planner, openReader, topic: DATAGEN_TOPIC, partition: 1, records, until: ROWS, close: async () => undefined }
}

const openSimulated = (): SourceUnderTest => {
  const running = new RunningWorld()
  const topic = new Topic('plays', 2)
  const records: SourceRecord[] = []
  for (let at = 0; at < 60; at += 1) {
    topic.append(1, at, at % 5 === 0 ? 2 : 0, offset => {
      records.push({ offset, value: `value ${offset}` })
      return utf8Bytes(`value ${offset}`)
    })
  }
  topic.appendGap(1, 3)
  const behaviour = { failOnDataLoss: true, lag: () => 0, fetchRecords: 7 }
  return {
    planner: sourcePlanner(topic, running.process(), behaviour),
    openReader: () => sourceReader(topic, running.process(), behaviour),
    topic: topic.name,
    partition: 1,
    records,
    until: topic.partition(1).end,
    close: async () => undefined,
  }
}

describe.each([
  ['generator', openDatagen],
  ['simulated topic', openSimulated],
] as const)('%s:', (_, open) => {
  for (const { name, run } of sourcePromises(open)) it(name, run)
})
