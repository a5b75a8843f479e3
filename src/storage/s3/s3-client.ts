import { S3Client } from '@aws-sdk/client-s3'
import type { S3StoreSettings } from './s3-settings.ts'

const CONNECT_TIMEOUT_MS = 5000

/** A client that tries once: what may be tried again, and what its outcome means, is for `S3Calls` to say. */
export const s3Client = (settings: S3StoreSettings): S3Client => {
  const { endpoint, region, profile, forcePathStyle, requestTimeoutMs, maxSockets } = settings
  const agent = { keepAlive: true, maxSockets }
  return new S3Client({
    ...(endpoint === null ? {} : { endpoint }),
    ...(region === null ? {} : { region }),
    ...(profile === null ? {} : { profile }),
    forcePathStyle,
    maxAttempts: 1,
    // every body that we send brings the checksum that we have computed
    requestChecksumCalculation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: requestTimeoutMs,
      httpAgent: agent,
      httpsAgent: agent,
    },
  })
}
