import type { RunningKafka } from '../scripts/services/kafka.mjs'
import type { RunningRedis } from '../scripts/services/redis.mjs'
import type { RunningS3 } from '../scripts/services/s3.mjs'

/** Services that a soak runs on. */
export interface Places {
  readonly brokers: string
  readonly redisPort: number
  readonly s3: Pick<RunningS3, 'endpoint' | 'region' | 'accessKeyId' | 'secretAccessKey'>
}

/** Services that belong to a soak alone, so that it may do them harm. */
export interface OwnServices {
  readonly kafka: RunningKafka
  readonly redis: RunningRedis
  readonly s3: RunningS3
}

/** What a daemon finds its store by. */
export const storeEnvironment = ({ s3 }: Places, endpoint: string): Readonly<Record<string, string>> => ({
  AWS_ACCESS_KEY_ID: s3.accessKeyId,
  AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
  MILLRACE_S3_ENDPOINT: endpoint,
  MILLRACE_S3_REGION: s3.region,
})
