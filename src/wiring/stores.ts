import { MillraceError } from '../base/errors.ts'
import { type Durability, openLocalObjectStore } from '../storage/local/local-object-store.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import type { S3StoreSettings } from '../storage/s3/s3-settings.ts'
import type { Config } from './config/config.ts'
import { systemClock, systemRandom } from './system.ts'

/** Where a store is and how it is spoken to: plain data, so that worker threads open the same. */
export type StoreLocation =
  | { readonly kind: 'local'; readonly root: string; readonly durability: Durability }
  | ({ readonly kind: 's3' } & S3StoreSettings)

/** A commit may be published a week after it: uploads must not be aborted sooner. */
const LEAST_UPLOAD_DAYS = 7
/** Longest prefix: S3 takes keys of 1,024 bytes, and ours may have 900. */
const MAX_PREFIX_BYTES = 120

const invalid = (message: string, remedy: string): MillraceError =>
  new MillraceError('INVALID_CONFIG', message, { remedy })

/**
 * Where the configuration says that a store is: the one at `root` (`null`), or one of `stores.<name>`. What a named
 * store does not say is as for the first.
 * @throws INVALID_CONFIG
 */
export const storeLocation = (config: Config, name: string | null = null): StoreLocation => {
  const named = name === null ? {} : config.stores[name]
  if (named === undefined) {
    const known = Object.keys(config.stores)
    throw invalid(
      `there is no store named ${name}`,
      `Set stores.${name}.root${known.length === 0 ? '' : `, or use one of: ${known.join(', ')}`}.`,
    )
  }
  const root = name === null ? config.root : named.root
  if (root === undefined) throw invalid(`the store ${name} has no root`, `Set stores.${name}.root.`)
  if (!/^[a-z0-9]+:\/\//i.test(root)) return { kind: 'local', root, durability: config.durability }
  const { endpoint, region, forcePathStyle, profile, ...patience } = { ...config.s3, ...named }
  return {
    kind: 's3',
    ...bucketAndPrefix(root),
    endpoint,
    region,
    profile,
    forcePathStyle: forcePathStyle === 'auto' ? endpoint !== null : forcePathStyle,
    requestTimeoutMs: patience.requestTimeout,
    maxAttempts: patience.maxAttempts,
    retryTimeoutMs: patience.retryTimeout,
    maxSockets: patience.maxSockets,
  }
}

const bucketAndPrefix = (root: string): { readonly bucket: string; readonly prefix: string } => {
  const [, bucket, prefix = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*?))?\/*$/.exec(root) ?? []
  const parts = prefix === '' ? [] : prefix.split('/')
  const plain = parts.every(part => /^[A-Za-z0-9_.=-]+$/.test(part) && part !== '.' && part !== '..')
  if (bucket === undefined || !plain || prefix.length > MAX_PREFIX_BYTES) {
    throw invalid(
      `${JSON.stringify(root)} is no place for a store`,
      `Write a folder, or s3://bucket/prefix with a prefix of letters, digits and -_.=/, at most ${MAX_PREFIX_BYTES} of them.`,
    )
  }
  return { bucket, prefix }
}

/** Opens a store. The SDK is loaded only where one is on S3. @throws STORE_FAILED, STORE_MISCONFIGURED */
export const openStoreAt = async (location: StoreLocation): Promise<ObjectStore> => {
  if (location.kind === 'local') return openLocalObjectStore(location)
  const { openS3ObjectStore } = await import('../storage/s3/s3-object-store.ts')
  return openS3ObjectStore({ ...location, clock: systemClock, random: systemRandom })
}

/** Opens the store at the configuration's `root`, or a named one. @throws INVALID_CONFIG, STORE_FAILED, STORE_MISCONFIGURED */
export const openStore = (config: Config, name: string | null = null): Promise<ObjectStore> =>
  openStoreAt(storeLocation(config, name))

/** The stores that a pipeline uses: the one at `root`, which has the checkpoint, and those that its sinks name. */
export interface Stores {
  readonly root: ObjectStore
  named(name: string | null): ObjectStore
}

/** Opens the store at `root` and those of these names. @throws INVALID_CONFIG, STORE_FAILED, STORE_MISCONFIGURED */
export const openStores = async (config: Config, names: readonly string[]): Promise<Stores> => {
  const all: readonly (string | null)[] = [null, ...new Set(names)]
  const opened = new Map(await Promise.all(all.map(async name => [name, await openStore(config, name)] as const)))
  const named = (name: string | null): ObjectStore => {
    const store = opened.get(name)
    if (store === undefined) throw invalid(`the store ${name} is not open`, 'Name it in the pipeline.')
    return store
  }
  return { root: named(null), named }
}

/** What is dangerous about these stores: told by `status`. */
export const storeWarnings = async (config: Config, names: readonly string[]): Promise<readonly string[]> => {
  const warnings: string[] = []
  for (const name of [null, ...new Set(names)]) {
    const location = storeLocation(config, name)
    if (location.kind === 'local') continue
    const { incompleteUploadDays } = await import('../storage/s3/bucket-lifecycle.ts')
    const days = await incompleteUploadDays({ ...location, clock: systemClock, random: systemRandom })
    if (days === null || days >= LEAST_UPLOAD_DAYS) continue
    warnings.push(
      `the bucket ${location.bucket} aborts incomplete uploads after ${days} days: a batch that is committed and not yet ` +
        `published would be lost with a pipeline that is down so long; set the lifecycle rule to ${LEAST_UPLOAD_DAYS} days or more`,
    )
  }
  return warnings
}
