import { createRequire } from 'node:module'
import type * as Kafkajs from 'kafkajs'
import { MillraceError } from '../../base/errors.ts'
import type { DurationMs } from '../../base/units.ts'

export interface TopicLimitsOptions {
  readonly topic: string
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly requestTimeoutMs: DurationMs
}

const require = createRequire(import.meta.url)
/** Loaded with the first look at a topic that is written, as most pipelines have none. */
const client = (): typeof Kafkajs => require('kafkajs') as typeof Kafkajs

/** `max.message.bytes` of a topic; `null` where the client may not know. @throws BROKER_UNREACHABLE */
export const maxBatchBytesOf = async (options: TopicLimitsOptions): Promise<number | null> => {
  const { Kafka, ConfigResourceTypes, logLevel } = client()
  const { topic, brokers, clientId, requestTimeoutMs } = options
  const times = { requestTimeout: requestTimeoutMs, connectionTimeout: requestTimeoutMs, retry: { retries: 1 } }
  const admin = new Kafka({ clientId, brokers: [...brokers], logLevel: logLevel.NOTHING, ...times }).admin()
  try {
    await admin.connect()
    const resource = { type: ConfigResourceTypes.TOPIC, name: topic, configNames: ['max.message.bytes'] }
    return await admin.describeConfigs({ includeSynonyms: false, resources: [resource] }).then(
      ({ resources }) => Number(resources[0]?.configEntries[0]?.configValue) || null,
      // who may write a topic need not be allowed to look at its configuration
      () => null,
    )
  } catch (error) {
    throw new MillraceError('BROKER_UNREACHABLE', `the limits of topic ${topic} can't be looked up: ${String(error)}`, {
      remedy: 'Check that Kafka runs and that its advertised listeners can be reached.',
      details: { topic },
      cause: error,
    })
  } finally {
    await admin.disconnect().catch(() => undefined)
  }
}
