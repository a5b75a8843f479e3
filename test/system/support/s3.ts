import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3'
import { inject } from 'vitest'
import { mapBounded } from '../../../src/base/map-bounded.ts'
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

/** What the SDK's credential chain and Millrace's configuration take from the environment, for the store of this test run. */
export const s3Environment = (endpoint = inject('s3').endpoint): Readonly<Record<string, string>> => {
  const { region, accessKeyId, secretAccessKey } = inject('s3')
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    MILLRACE_S3_ENDPOINT: endpoint,
    MILLRACE_S3_REGION: region,
  }
}

/** A client that has nothing of Millrace's in it, for those who look at the bucket from outside. */
export const plainS3Client = (): S3Client => {
  const { endpoint, region, accessKeyId, secretAccessKey } = inject('s3')
  return new S3Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true })
}

/** Keys of all objects that begin with a prefix, as any reader lists them. */
export const listKeys = async (client: S3Client, prefix: string, bucket = 'millrace'): Promise<readonly string[]> => {
  const keys: string[] = []
  for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix })) {
    keys.push(...(page.Contents ?? []).flatMap(({ Key }) => Key ?? []))
  }
  return keys
}

/** Gets objects into a folder, under their keys; answers the paths. */
export const download = (
  client: S3Client,
  keys: readonly string[],
  folder: string,
  bucket = 'millrace',
): Promise<readonly string[]> =>
  mapBounded(keys, 8, async key => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
    const path = join(folder, key)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, (await Body?.transformToByteArray()) ?? new Uint8Array())
    return path
  })
