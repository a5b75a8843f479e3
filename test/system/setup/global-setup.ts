import type { TestProject } from 'vitest/node'
import { startKafka } from '../../../scripts/services/kafka.mjs'
import { startProducer } from '../../../scripts/services/producer.mjs'
import { startRedis } from '../../../scripts/services/redis.mjs'
import { startS3 } from '../../../scripts/services/s3.mjs'
import { build } from '../../../scripts/set-up.mjs'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Bootstrap server of a broker that belongs to this test run. */
    kafkaBrokers: string
    /** Its process, for tests that pause it. */
    kafkaPid: number
    /** Its data. */
    kafkaFolder: string
    /** Where Kafka's own producer takes loads. */
    producerPort: number
    /** An S3-compatible store that belongs to this test run, with a bucket `millrace`. */
    s3: ProvidedS3
    /** Address of a Redis server that belongs to this test run. Tests that stop or fill one start their own. */
    redisUrl: string
  }
}

export interface ProvidedS3 {
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly pid: number
}

interface Service {
  stop(): Promise<void>
}

/** All services, or none: where one does not start, those that did are stopped again. */
const startAll = async <Services extends readonly Service[]>(
  ...starting: { readonly [At in keyof Services]: Promise<Services[At]> }
): Promise<Services> => {
  const started = await Promise.allSettled<Service>(starting)
  const failed = started.find(each => each.status === 'rejected')
  if (failed === undefined) return (await Promise.all(starting)) as unknown as Services
  await Promise.all(started.flatMap(each => (each.status === 'fulfilled' ? [each.value.stop()] : [])))
  throw failed.reason
}

/** Builds the package and runs real services for the length of the test run. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  build()
  const [kafka, producer, s3, redis] = await startAll(startKafka(), startProducer(), startS3(), startRedis())
  project.provide('kafkaBrokers', kafka.brokers)
  project.provide('kafkaPid', kafka.pid)
  project.provide('kafkaFolder', kafka.folder)
  project.provide('producerPort', producer.port)
  const { endpoint, region, accessKeyId, secretAccessKey, pid } = s3
  project.provide('s3', { endpoint, region, accessKeyId, secretAccessKey, pid })
  project.provide('redisUrl', redis.url)
  return async () => {
    await Promise.all([kafka.stop(), producer.stop(), s3.stop(), redis.stop()])
  }
}
