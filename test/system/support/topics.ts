import { randomBytes } from 'node:crypto'
import { Kafka, logLevel } from 'kafkajs'
import { inject } from 'vitest'

const withAdmin = async <Result>(work: (admin: ReturnType<Kafka['admin']>) => Promise<Result>): Promise<Result> => {
  const kafka = new Kafka({ clientId: 'tests', brokers: [inject('kafkaBrokers')], logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.disconnect()
  }
}

/** A name that no other test uses. */
export const uniqueName = (prefix: string): string => `${prefix}-${randomBytes(4).toString('hex')}`

/** Creates a topic and waits for its leaders. Answers its name. */
export const createTopic = async (
  partitions: number,
  config: Readonly<Record<string, string>> = {},
  topic = uniqueName('topic'),
): Promise<string> => {
  // generated events are older than what a broker keeps by default
  const configEntries = Object.entries({ 'retention.ms': '-1', ...config }).map(([name, value]) => ({ name, value }))
  await withAdmin(admin =>
    admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: partitions, configEntries }] }),
  )
  return topic
}

export const deleteTopic = (topic: string): Promise<void> => withAdmin(admin => admin.deleteTopics({ topics: [topic] }))

export const addPartitions = (topic: string, count: number): Promise<boolean> =>
  withAdmin(admin => admin.createPartitions({ topicPartitions: [{ topic, count }] }))

/** Deletes the records of a partition below `offset`, as retention does. */
export const deleteRecords = (topic: string, partition: number, offset: number): Promise<void> =>
  withAdmin(async admin => {
    // the client looks for leaders only among topics that it has dealt with
    await admin.fetchTopicOffsets(topic)
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] })
  })

/** Offsets that a consumer group shows, by partition. */
export const groupOffsets = async (groupId: string, topic: string): Promise<ReadonlyMap<number, number>> => {
  const [found] = await withAdmin(admin => admin.fetchOffsets({ groupId, topics: [topic] }))
  return new Map(found?.partitions.map(({ partition, offset }) => [partition, Number(offset)]))
}
