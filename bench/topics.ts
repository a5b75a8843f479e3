import { Kafka, logLevel } from 'kafkajs'
import { startProducer } from '../scripts/services/producer.mjs'
import { type GeneratedLoad, loadEvents } from '../test/support/topic-loader.ts'

/** Events as the bench writes them: of about 380 B, of about 2.1 KB, and the latter with keys that vary. */
export const SIZES = { small: 'small', large: 'large', varying: 'largeVarying' } as const
export type Size = keyof typeof SIZES

export interface BenchTopic {
  readonly name: string
  readonly size: Size
  readonly events: number
  readonly partitions: number
  readonly load: GeneratedLoad
}

/** Event time runs as if 20,000 events came per second, and an hour ends in the first half minute. */
const EVENTS_PER_SECOND = 20_000
const STARTS_AT = Date.UTC(2026, 0, 15, 10, 59, 50)

/** What a topic of the bench holds. Its name says it, so that a broker that outlives the run keeps it for the next one. */
export const benchTopic = (size: Size, events: number, partitions: number): BenchTopic => ({
  name: `bench-${size}-${events}-in-${partitions}`,
  size,
  events: Math.floor(events / partitions) * partitions,
  partitions,
  load: {
    partitions,
    rowsPerPartition: Math.floor(events / partitions),
    size: SIZES[size],
    millisPerEvent: (1000 * partitions) / EVENTS_PER_SECOND,
    startTime: STARTS_AT,
    compression: 'lz4',
    settings: { 'batch.size': '65536' },
  },
})

/** Creates and fills a topic, unless it is there. */
export const requireTopic = async (brokers: string, topic: BenchTopic): Promise<void> => {
  const admin = new Kafka({ clientId: 'bench', brokers: [brokers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    const known = await admin.listTopics()
    if (known.includes(topic.name)) {
      const offsets = await admin.fetchTopicOffsets(topic.name)
      const there = offsets.reduce((sum, { high }) => sum + Number(high), 0)
      if (there === topic.events) return
      throw new Error(`topic ${topic.name} holds ${there} events, not ${topic.events}; delete it and start again`)
    }
    process.stderr.write(`Writing ${topic.events.toLocaleString('en')} ${topic.size} events …\n`)
    const configEntries = [{ name: 'retention.ms', value: '-1' }]
    const { name, partitions: numPartitions } = topic
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic: name, numPartitions, configEntries }] })
  } finally {
    await admin.disconnect()
  }
  const producer = await startProducer()
  try {
    await loadEvents({ producer: producer.port, brokers, topic: topic.name }, topic.load)
  } finally {
    await producer.stop()
  }
}
