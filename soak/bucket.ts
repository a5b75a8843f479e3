import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3'
import type { Places } from './places.ts'

/** What a pipeline lands, as any reader sees it that knows nothing of Millrace. */
export interface Objects {
  /** Keys that begin so, those after `after` only, in their order. */
  list(prefix: string, after?: string): Promise<readonly string[]>
  get(key: string): Promise<Uint8Array>
  /** Gets objects into a folder; answers their paths in the order of the keys. */
  download(keys: readonly string[], folder: string): Promise<readonly string[]>
  close(): void
}

/** The bucket of a store. */
export class Bucket implements Objects {
  readonly #client: S3Client

  constructor({ s3 }: Places) {
    const { endpoint, region, accessKeyId, secretAccessKey } = s3
    this.#client = new S3Client({
      endpoint,
      region,
      credentials: { accessKeyId, secretAccessKey },
      forcePathStyle: true,
    })
  }

  async list(prefix: string, after?: string): Promise<readonly string[]> {
    const keys: string[] = []
    const from = after === undefined ? {} : { StartAfter: after }
    for await (const page of paginateListObjectsV2(
      { client: this.#client },
      { Bucket: 'millrace', Prefix: prefix, ...from },
    )) {
      for (const { Key } of page.Contents ?? []) if (Key !== undefined) keys.push(Key)
    }
    return keys
  }

  async get(key: string): Promise<Uint8Array> {
    const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: 'millrace', Key: key }))
    return (await Body?.transformToByteArray()) ?? new Uint8Array()
  }

  /** Eight at a time. */
  async download(keys: readonly string[], folder: string): Promise<readonly string[]> {
    const paths = keys.map(key => join(folder, key.replaceAll('/', '_')))
    let next = 0
    const work = async (): Promise<void> => {
      while (next < keys.length) {
        const at = next++
        await writeFile(paths[at] ?? '', await this.get(keys[at] ?? ''))
      }
    }
    await Promise.all(Array.from({ length: 8 }, work))
    return paths
  }

  close(): void {
    this.#client.destroy()
  }
}
