import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { crc32c } from '@node-rs/crc32'
import { crcHex } from '../../base/crc32c.ts'
import { mapBounded } from '../../base/map-bounded.ts'
import type { StagedObject, StagedUpload } from '../object-store.ts'
import { stagedObjectLost } from '../staged-object-lost.ts'
import { checksumOf, hasChecksum } from './checksums.ts'
import type { Attempt, S3Calls } from './s3-calls.ts'
import { isAnswer } from './s3-errors.ts'

/** S3 takes parts from 5 MiB (the last may be smaller), 10,000 of them. */
const PART_BYTES = 8 * 1024 * 1024
const PARALLEL_PARTS = 4
/** Beside an upload: the checksum of its bytes, for stores that keep none themselves. */
const NOTED_CHECKSUM = 'millrace-crc32c'

/** A bucket's side of staging: an object's place in it, by key of the store. */
export interface UploadPlace {
  readonly calls: S3Calls
  readonly location: string
  place(key: string): { readonly Bucket: string; readonly Key: string }
}

/**
 * Uploads all parts of an object and does not complete the upload: nobody sees it. Each call is an upload of its own; one
 * whose beginning was not answered stays behind without parts, for whoever clears up.
 */
export const stageUpload = async (at: UploadPlace, key: string, bytes: Uint8Array): Promise<StagedObject> => {
  const checksum = crcHex(crc32c(bytes))
  const { UploadId: upload } = await at.calls.make(`begin an upload of ${key}`, ({ abortSignal }) =>
    at.calls.client.send(
      new CreateMultipartUploadCommand({
        ...at.place(key),
        ChecksumAlgorithm: 'CRC32C',
        ChecksumType: 'FULL_OBJECT',
        Metadata: { [NOTED_CHECKSUM]: checksum },
      }),
      { abortSignal },
    ),
  )
  const staged = { key, upload: upload ?? '', size: bytes.length, crc32c: checksum }
  try {
    const parts = await mapBounded(cut(bytes), PARALLEL_PARTS, (part, index) => uploadPart(at, staged, part, index + 1))
    return { ...staged, parts }
  } catch (error) {
    // what can't be dropped now is dropped when a later batch clears up
    await abortUpload(at, staged).catch(() => undefined)
    throw error
  }
}

/** At least one part, also of no bytes. */
const cut = (bytes: Uint8Array): readonly Uint8Array[] =>
  Array.from({ length: Math.max(1, Math.ceil(bytes.length / PART_BYTES)) }, (_, index) =>
    bytes.subarray(index * PART_BYTES, (index + 1) * PART_BYTES),
  )

const uploadPart = async (at: UploadPlace, { key, upload }: StagedUpload, bytes: Uint8Array, number: number) => {
  const checksum = checksumOf(bytes)
  const { ETag: etag = '' } = await at.calls.make(`upload part ${number} of ${key}`, ({ abortSignal }) =>
    at.calls.client.send(
      new UploadPartCommand({
        ...at.place(key),
        UploadId: upload,
        PartNumber: number,
        Body: bytes,
        ChecksumCRC32C: checksum,
      }),
      { abortSignal },
    ),
  )
  return { etag, checksum }
}

/**
 * Completes an upload. Repeated, the call answers that there is no such upload, or 200 whatever became of the object; so an
 * answer that does not tell the object's checksum proves nothing, and the object itself says whether it is ours. The call
 * carries no condition: S3 answers conflicts of conditional completions by asking for a new upload, and what a commit
 * lists must not depend on one.
 * @throws STAGED_OBJECT_LOST
 */
export const publishUpload = (at: UploadPlace, staged: StagedObject): Promise<void> =>
  at.calls.make(`publish ${staged.key}`, async attempt => {
    if (await completes(at, staged, attempt)) return
    const head = await headObject(at, staged.key, attempt)
    const same =
      head?.ContentLength === staged.size &&
      hasChecksum(staged, { checksum: head.ChecksumCRC32C, noted: head.Metadata?.[NOTED_CHECKSUM] })
    if (!same) throw stagedObjectLost(staged, at.location)
  })

/** Whether the answer says that the object is there now, with the checksum of what was staged. */
const completes = async (at: UploadPlace, staged: StagedObject, { abortSignal }: Attempt): Promise<boolean> => {
  const { key, upload, parts = [] } = staged
  const Parts = parts.map(({ etag, checksum }, index) => ({
    PartNumber: index + 1,
    ETag: etag,
    ChecksumCRC32C: checksum,
  }))
  const command = new CompleteMultipartUploadCommand({
    ...at.place(key),
    UploadId: upload,
    MultipartUpload: { Parts },
  })
  try {
    const { ChecksumCRC32C: checksum } = await at.calls.client.send(command, { abortSignal })
    return hasChecksum(staged, { checksum, noted: undefined })
  } catch (error) {
    if (isAnswer(error, 'NoSuchUpload', 'InvalidPart')) return false
    throw error
  }
}

/** Drops an upload with its parts; one that is gone or completed is no error. */
export const abortUpload = (at: UploadPlace, { key, upload }: StagedUpload): Promise<void> =>
  at.calls.make(`drop an upload of ${key}`, async ({ abortSignal }) => {
    try {
      await at.calls.client.send(new AbortMultipartUploadCommand({ ...at.place(key), UploadId: upload }), {
        abortSignal,
      })
    } catch (error) {
      if (!isAnswer(error, 'NoSuchUpload')) throw error
    }
  })

/** What S3 tells of an object, checksum and notes included; `null` where there is none. */
export const headObject = async (
  at: UploadPlace,
  key: string,
  { abortSignal }: Attempt,
): Promise<HeadObjectCommandOutput | null> => {
  try {
    return await at.calls.client.send(new HeadObjectCommand({ ...at.place(key), ChecksumMode: 'ENABLED' }), {
      abortSignal,
    })
  } catch (error) {
    if (isAnswer(error, 'NotFound', 'NoSuchKey')) return null
    throw error
  }
}
