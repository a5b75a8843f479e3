import { crc32cHex } from '../base/crc32c.ts'
import type { ObjectInfo, StagedObject, StagedUpload, VersionedObject } from '../storage/object-store.ts'
import { stagedObjectLost } from '../storage/staged-object-lost.ts'

/** What changed in a bucket for whoever may list it. */
export type BucketChange =
  | { readonly kind: 'appeared'; readonly key: string; readonly bytes: Uint8Array; readonly by: string }
  | { readonly kind: 'removed'; readonly key: string; readonly by: string }

interface StoredObject {
  readonly bytes: Uint8Array
  readonly version: string
  readonly since: number
}

interface Upload {
  readonly staged: StagedObject
  readonly bytes: Uint8Array
  readonly since: number
  /** When it was completed or aborted. */
  until: number
}

/**
 * An S3 bucket in memory. Objects appear whole; conditional puts are atomic; a multipart upload is invisible until it is
 * completed, which carries no condition: the upload's own parts are all that counts. Every method is one instant.
 */
export class Bucket {
  readonly #objects = new Map<string, StoredObject>()
  /** Objects that were removed, for listings that lag behind. */
  readonly #removed: (ObjectInfo & { readonly since: number; readonly until: number })[] = []
  readonly #uploads = new Map<string, Upload>()
  readonly #now: () => number
  readonly #watch: (change: BucketChange) => void
  #numbers = 0

  constructor(now: () => number, watch: (change: BucketChange) => void) {
    this.#now = now
    this.#watch = watch
  }

  createOnly(key: string, bytes: Uint8Array, by: string): 'created' | 'exists' {
    if (this.#objects.has(key)) return 'exists'
    this.#put(key, bytes, by)
    return 'created'
  }

  replace(
    key: string,
    bytes: Uint8Array,
    expected: string | null,
    by: string,
  ): { readonly version: string } | 'conflict' {
    if ((this.#objects.get(key)?.version ?? null) !== expected) return 'conflict'
    return { version: this.#put(key, bytes, by).version }
  }

  get(key: string): Uint8Array | null {
    return this.#objects.get(key)?.bytes.slice() ?? null
  }

  getVersioned(key: string): VersionedObject | null {
    const found = this.#objects.get(key)
    return found === undefined ? null : { bytes: found.bytes.slice(), version: found.version }
  }

  head(key: string): ObjectInfo | null {
    const found = this.#objects.get(key)
    return found === undefined ? null : { key, size: found.bytes.length }
  }

  /** What was there `staleMs` ago. */
  list(prefix: string, staleMs: number): readonly ObjectInfo[] {
    const then = this.#now() - staleMs
    const there = [...this.#objects].flatMap(([key, { bytes, since }]) =>
      key.startsWith(prefix) && since <= then ? [{ key, size: bytes.length }] : [],
    )
    const gone = staleMs === 0 ? [] : this.#removed.filter(each => each.since <= then && each.until > then)
    return [...there, ...gone.filter(({ key }) => key.startsWith(prefix) && !this.#objects.has(key))].toSorted(byKey)
  }

  remove(key: string, by: string): void {
    const found = this.#objects.get(key)
    if (found === undefined) return
    this.#objects.delete(key)
    this.#removed.push({ key, size: found.bytes.length, since: found.since, until: this.#now() })
    this.#watch({ kind: 'removed', key, by })
  }

  stage(key: string, bytes: Uint8Array): StagedObject {
    const staged = { key, upload: `upload-${this.#number()}`, size: bytes.length, crc32c: crc32cHex(bytes) }
    this.#uploads.set(staged.upload, { staged, bytes, since: this.#now(), until: Number.POSITIVE_INFINITY })
    return staged
  }

  /** CompleteMultipartUpload; where the upload is gone, the object's size and checksum decide. @throws STAGED_OBJECT_LOST */
  publish(staged: StagedObject, by: string): void {
    const upload = this.#open(staged)
    if (upload !== null) {
      upload.until = this.#now()
      this.#put(staged.key, upload.bytes, by)
      return
    }
    const visible = this.#objects.get(staged.key)?.bytes
    if (visible?.length === staged.size && crc32cHex(visible) === staged.crc32c) return
    throw stagedObjectLost(staged, 'the simulated bucket')
  }

  discard(staged: StagedUpload): void {
    const upload = this.#open(staged)
    if (upload !== null) upload.until = this.#now()
  }

  listStaged(prefix: string, staleMs: number): readonly StagedObject[] {
    const then = this.#now() - staleMs
    return [...this.#uploads.values()]
      .filter(({ staged, since, until }) => staged.key.startsWith(prefix) && since <= then && until > then)
      .map(({ staged }) => staged)
      .toSorted(byKey)
  }

  /** What a lifecycle rule for incomplete uploads does when their time has come. */
  abortUploads(): void {
    for (const upload of this.#uploads.values()) upload.until = Math.min(upload.until, this.#now())
  }

  #open({ upload, key }: StagedUpload): Upload | null {
    const found = this.#uploads.get(upload)
    return found !== undefined && found.staged.key === key && found.until > this.#now() ? found : null
  }

  #put(key: string, bytes: Uint8Array, by: string): StoredObject {
    const stored = { bytes, version: `version-${this.#number()}`, since: this.#now() }
    this.#objects.set(key, stored)
    this.#watch({ kind: 'appeared', key, bytes, by })
    return stored
  }

  #number(): number {
    this.#numbers += 1
    return this.#numbers
  }
}

const byKey = (a: { readonly key: string }, b: { readonly key: string }): number =>
  a.key < b.key ? -1 : a.key > b.key ? 1 : 0
