/**
 * Objects under keys like `tables/plays/date=2026-01-15/hour=10/part-….parquet`: the one port that tables, checkpoints
 * and dead letters are written through, on a local folder or an S3-compatible store.
 *
 * Keys are relative, `/`-separated, without `.`, `..`, empty parts or control characters (`checkKey`), and no key is a
 * folder of another key. Each method may be repeated after a failure. Errors: STORE_FAILED (retriable), STORE_MISCONFIGURED (wrong
 * credentials, missing bucket …), STORE_UNSAFE_KEY.
 */
export interface ObjectStore {
  /** Where this store is, for people: a folder or `s3://bucket/prefix`. */
  readonly location: string
  /**
   * Whether conditional writes are known to be atomic: `inherent` where the technology sees to it, `unproven` for an
   * endpoint that only says so (`requireAtomicWrites` tries it).
   */
  readonly conditionalWrites: 'inherent' | 'unproven'
  /**
   * Puts an object only where none is: atomic among any number of writers, whole or not at all.
   * `exists` also answers one's own earlier write whose answer was lost: read it back to tell.
   */
  createOnly(key: string, bytes: Uint8Array): Promise<'created' | 'exists'>
  /** As `get`, with the version that `replace` can be guarded by. */
  getVersioned(key: string): Promise<VersionedObject | null>
  /**
   * Puts an object where its version still is `expected` (`null`: where none is), whole, atomically among any number of
   * writers and processes; listers see one whole object under the key at any moment. `conflict` also answers one's own
   * earlier write whose answer was lost: read it back to tell. Not for keys that are published or removed meanwhile.
   */
  replace(key: string, bytes: Uint8Array, expected: string | null): Promise<{ readonly version: string } | 'conflict'>
  /** The object, or `null` where there is none. */
  get(key: string): Promise<Uint8Array | null>
  /** Size and checksum without the bytes, or `null`. */
  head(key: string): Promise<ObjectInfo | null>
  /** All objects whose key starts with `prefix`, in order of the bytes of their keys. Staged objects are not among them. */
  list(prefix: string): AsyncIterable<ObjectInfo>
  /** Removes an object; one that is not there is no error. */
  remove(key: string): Promise<void>

  /**
   * Uploads an object invisibly: no reader or lister sees it until `publish`. Every call is an upload of its own.
   * The answer is plain data, goes into the commit entry, and is all that publishing needs, also in another process.
   */
  stage(key: string, bytes: Uint8Array): Promise<StagedObject>
  /**
   * Makes a staged object visible under its key. Repeatable: if it is visible already with the same size and
   * checksum, that is success. Staged keys are never written otherwise: what another put there may be replaced.
   * @throws STAGED_OBJECT_LOST where neither the upload nor the object is there
   */
  publish(staged: StagedObject): Promise<void>
  /** Drops a staged object that no commit lists. Repeatable. */
  discard(staged: StagedUpload): Promise<void>
  /** Uploads for keys under `prefix` that are neither published nor discarded, for clearing up after crashes. */
  listStaged(prefix: string): AsyncIterable<StagedUpload>
}

/** An object and which state of it that is; two states with the same bytes may have the same version. */
export interface VersionedObject {
  readonly bytes: Uint8Array
  readonly version: string
}

export interface ObjectInfo {
  readonly key: string
  readonly size: number
}

/** What is needed to drop an upload. */
export interface StagedUpload {
  readonly key: string
  /** Names the upload within the store: a temporary file, or a multipart upload's id. */
  readonly upload: string
}

/** An upload that is complete but invisible. Plain data. */
export interface StagedObject extends StagedUpload {
  readonly size: number
  /** CRC-32C of the bytes, eight hexadecimal digits. */
  readonly crc32c: string
  /** S3 only: ETag and checksum of each part, in order. */
  readonly parts?: readonly { readonly etag: string; readonly checksum: string }[]
}
