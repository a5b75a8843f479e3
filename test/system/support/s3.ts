import { inject } from 'vitest'
import { openS3ObjectStore, type S3StoreOptions } from '../../../src/storage/s3/s3-object-store.ts'
import { systemClock, systemRandom } from '../../../src/wiring/system.ts'
import { uniqueName } from './topics.ts'

/** Lets stores that this process opens itself find their credentials. */
export const useS3Credentials = (): void => {
  const { accessKeyId, secretAccessKey } = inject('s3')
  process.env['AWS_ACCESS_KEY_ID'] = accessKeyId
  process.env['AWS_SECRET_ACCESS_KEY'] = secretAccessKey
}

/** A prefix in the bucket that no other test uses. */
export const s3Settings = (changes: Partial<S3StoreOptions> = {}): S3StoreOptions => ({
  bucket: 'millrace',
  prefix: uniqueName('store'),
  endpoint: inject('s3').endpoint,
  region: inject('s3').region,
  forcePathStyle: true,
  profile: null,
  requestTimeoutMs: 10_000,
  maxAttempts: 10,
  retryTimeoutMs: 60_000,
  maxSockets: 32,
  clock: systemClock,
  random: systemRandom,
  ...changes,
})

export const openS3 = (changes: Partial<S3StoreOptions> = {}) => openS3ObjectStore(s3Settings(changes))
