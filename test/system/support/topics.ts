import { randomBytes } from 'node:crypto'
import { Kafka, logLevel } from 'kafkajs'
import { expect, inject } from 'vitest'

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
  await withAdmin(async admin => {
    await admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions: partitions, configEntries }] })
    // a busy broker may not know for a while what it has just made
    await expect.poll(() => leadersOf(admin, topic), { timeout: 60_000 }).toBe(partitions)
  })
  return topic
}

const leadersOf = (admin: ReturnType<Kafka['admin']>, topic: string): Promise<number> =>
  admin.fetchTopicMetadata({ topics: [topic] }).then(
    ({ topics }) => topics[0]?.partitions.filter(({ leader }) => leader >= 0).length ?? 0,
    () => 0,
  )

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

/** Records that a topic has, transactions left aside. */
export const recordsIn = (topic: string): Promise<number> =>
  withAdmin(async admin => {
    const partitions = await admin.fetchTopicOffsets(topic)
    return partitions.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0)
  })

/** Offsets that a consumer group shows, by partition. */
export const groupOffsets = async (groupId: string, topic: string): Promise<ReadonlyMap<number, number>> => {
  const [found] = await withAdmin(admin => admin.fetchOffsets({ groupId, topics: [topic] }))
  return new Map(found?.partitions.map(({ partition, offset }) => [partition, Number(offset)]))
}
