import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { checkKey, checkPrefix, isSafeKey } from '../keys.ts'
import type { ObjectInfo, ObjectStore, StagedObject, StagedUpload, VersionedObject } from '../object-store.ts'
import { checksumOf } from './checksums.ts'
import { abortUpload, headObject, publishUpload, stageUpload, type UploadPlace } from './multipart.ts'
import { type Attempt, S3Calls } from './s3-calls.ts'
import { s3Client } from './s3-client.ts'
import { isAnswer, isConditionFailed } from './s3-errors.ts'
import type { S3StoreSettings } from './s3-settings.ts'

/** Beside each conditional write: who made it, so that a writer knows its own after a lost answer. */
const NOTED_WRITE = 'millrace-write'

export interface S3StoreOptions extends S3StoreSettings {
  readonly clock: Clock
  readonly random: Random
}

/**
 * Objects in a bucket of an S3-compatible store. Opening asks for one key, so that wrong credentials, a missing bucket
 * or another region are told before anything runs.
 * @throws STORE_MISCONFIGURED, STORE_FAILED
 */
export const openS3ObjectStore = async (options: S3StoreOptions): Promise<ObjectStore> => {
  const store = new S3ObjectStore(options)
  await store.open()
  return store
}

class S3ObjectStore implements ObjectStore, UploadPlace {
  readonly location: string
  readonly conditionalWrites = 'unproven'
  readonly calls: S3Calls
  readonly #bucket: string
  /** Begins every key: '' or `folder/`. */
  readonly #begin: string
  readonly #random: Random

  constructor(options: S3StoreOptions) {
    const { bucket, prefix, clock, random } = options
    this.location = `s3://${[bucket, prefix].filter(part => part !== '').join('/')}`
    this.#bucket = bucket
    this.#begin = prefix === '' ? '' : `${prefix}/`
    this.#random = random
    this.calls = new S3Calls({ client: s3Client(options), settings: options, clock, random, location: this.location })
  }

  async open(): Promise<void> {
    await this.calls.make('open the store', ({ abortSignal }) =>
      this.calls.client.send(new ListObjectsV2Command({ Bucket: this.#bucket, Prefix: this.#begin, MaxKeys: 1 }), {
        abortSignal,
      }),
    )
  }

  async createOnly(key: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
    return (await this.replace(key, bytes, null)) === 'conflict' ? 'exists' : 'created'
  }

  async replace(
    key: string,
    bytes: Uint8Array,
    expected: string | null,
  ): Promise<{ readonly version: string } | 'conflict'> {
    const write = this.#random.nonce()
    const command = new PutObjectCommand({
      ...this.place(key),
      Body: bytes,
      ChecksumCRC32C: checksumOf(bytes),
      Metadata: { [NOTED_WRITE]: write },
      ...(expected === null ? { IfNoneMatch: '*' } : { IfMatch: expected }),
    })
    return this.calls.make(`write ${key}`, async attempt => {
      try {
        const { ETag: version = '' } = await this.calls.client.send(command, attempt)
        return { version }
      } catch (error) {
        const absent = expected !== null && isAnswer(error, 'NoSuchKey')
        if (!isConditionFailed(error) && !absent) throw error
        return (attempt.uncertain ? await this.#ownWrite(key, write, attempt) : null) ?? 'conflict'
      }
    })
  }

  /** An attempt before brought no answer: the object says whether it had its effect. */
  async #ownWrite(key: string, write: string, attempt: Attempt): Promise<{ readonly version: string } | null> {
    const head = await headObject(this, key, attempt)
    return head?.Metadata?.[NOTED_WRITE] === write ? { version: head.ETag ?? '' } : null
  }

  async get(key: string): Promise<Uint8Array | null> {
    return (await this.getVersioned(key))?.bytes ?? null
  }

  async getVersioned(key: string): Promise<VersionedObject | null> {
    const command = new GetObjectCommand({ ...this.place(key), ChecksumMode: 'ENABLED' })
    return this.calls.make(`read ${key}`, async attempt => {
      try {
        const { Body, ETag: version = '' } = await this.calls.client.send(command, attempt)
        const bytes = await Body?.transformToByteArray()
        return { bytes: new Uint8Array(bytes ?? []), version }
      } catch (error) {
        if (isAnswer(error, 'NoSuchKey')) return null
        throw error
      }
    })
  }

  async head(key: string): Promise<ObjectInfo | null> {
    this.place(key)
    const head = await this.calls.make(`look at ${key}`, attempt => headObject(this, key, attempt))
    return head === null ? null : { key, size: head.ContentLength ?? 0 }
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    const Prefix = this.#begin + checkPrefix(prefix)
    let token: string | undefined
    do {
      const command = new ListObjectsV2Command({ Bucket: this.#bucket, Prefix, ContinuationToken: token })
      const page = await this.calls.make(`list ${prefix}`, attempt => this.calls.client.send(command, attempt))
      for (const { Key = '', Size = 0 } of page.Contents ?? []) {
        const key = Key.slice(this.#begin.length)
        // consoles make empty objects named like folders; they are none of ours
        if (isSafeKey(key)) yield { key, size: Size }
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined
    } while (token !== undefined)
  }

  async remove(key: string): Promise<void> {
    const command = new DeleteObjectCommand(this.place(key))
    await this.calls.make(`remove ${key}`, attempt => this.calls.client.send(command, attempt))
  }

  async stage(key: string, bytes: Uint8Array): Promise<StagedObject> {
    return stageUpload(this, checkKey(key), bytes)
  }

  async publish(staged: StagedObject): Promise<void> {
    checkKey(staged.key)
    return publishUpload(this, staged)
  }

  async discard(staged: StagedUpload): Promise<void> {
    checkKey(staged.key)
    return abortUpload(this, staged)
  }

  async *listStaged(prefix: string): AsyncIterable<StagedUpload> {
    const Prefix = this.#begin + checkPrefix(prefix)
    let after: { readonly KeyMarker: string; readonly UploadIdMarker: string } | null = null
    do {
      const command: ListMultipartUploadsCommand = new ListMultipartUploadsCommand({
        Bucket: this.#bucket,
        Prefix,
        ...after,
      })
      const page = await this.calls.make(`list uploads of ${prefix}`, attempt =>
        this.calls.client.send(command, attempt),
      )
      for (const { Key = '', UploadId: upload = '' } of page.Uploads ?? []) {
        const key = Key.slice(this.#begin.length)
        if (isSafeKey(key)) yield { key, upload }
      }
      const { IsTruncated = false, NextKeyMarker = '', NextUploadIdMarker = '' } = page
      after = IsTruncated ? { KeyMarker: NextKeyMarker, UploadIdMarker: NextUploadIdMarker } : null
    } while (after !== null)
  }

  place(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#bucket, Key: this.#begin + checkKey(key) }
  }
}
