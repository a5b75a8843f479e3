import { randomBytes, randomUUID } from 'node:crypto'
import { realpath, stat } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { crc32c } from '@node-rs/crc32'
import { crcHex } from '../../base/crc32c.ts'
import { MillraceError } from '../../base/errors.ts'
import { checkKey, checkPrefix, STAGING_FOLDER } from '../keys.ts'
import type { ObjectInfo, ObjectStore, StagedObject, StagedUpload, VersionedObject } from '../object-store.ts'
import { stagedObjectLost } from '../staged-object-lost.ts'
import {
  absentAsNull,
  filesBelow,
  linkNew,
  makeFolder,
  readWhole,
  sizeOf,
  syncFolder,
  unlinkIfThere,
  writeWhole,
} from './files.ts'
import {
  firstVersion,
  forgetReplacements,
  type ReplaceablePaths,
  readVersioned,
  replaceGuarded,
} from './replacements.ts'
import { hasCode, storeFailed } from './store-failed.ts'

/** What survives: a killed process (`process`), or also a machine that loses power (`disk`: files and folders are synced). */
export type Durability = 'process' | 'disk'

export interface LocalStoreOptions {
  /** Folder that all keys are relative to; made where it is missing. */
  readonly root: string
  readonly durability: Durability
}

/** An upload lies below the staging folder under its key, on the file system of the tables, with an ending that no reader looks for. */
const UPLOAD = /^(.+)\.(\d+)\.([0-9a-f]{8})\.[0-9a-f]{16}\.part$/
/** Files on their way to a conditional create. */
const UNFINISHED = `${STAGING_FOLDER}/.unfinished`
/** Each key that was ever replaced has a folder there. */
const VERSIONS = `${STAGING_FOLDER}/.versions`
/** An unfinished file so old belongs to no running writer. */
const ABANDONED_MS = 24 * 3_600_000

/**
 * Objects as files below a folder. Creating and publishing are a `link` of a finished file, which is atomic, never
 * replaces a file, and never shows half of one. Opening makes the folder and clears up what crashes left long ago.
 * @throws STORE_FAILED where the folder can't be written
 */
export const openLocalObjectStore = async (options: LocalStoreOptions): Promise<ObjectStore> => {
  const store = new LocalObjectStore(options)
  await store.open()
  return store
}

class LocalObjectStore implements ObjectStore {
  readonly location: string
  readonly conditionalWrites = 'inherent'
  readonly #sync: boolean
  /** Folders known to be there and to lie below the root. */
  readonly #folders = new Set<string>()
  /** Folders whose names are on disk as far as they were there at the first look. */
  readonly #settled = new Set<string>()

  constructor({ root, durability }: LocalStoreOptions) {
    this.location = resolve(root)
    this.#sync = durability === 'disk'
  }

  async open(): Promise<void> {
    await this.#guarded('write', async () => {
      await makeFolder(this.location, this.#sync)
      const unfinished = await this.#folder(join(this.location, UNFINISHED))
      for (const name of await filesBelow(unfinished)) {
        const path = join(unfinished, name)
        const age = await absentAsNull(async () => Date.now() - (await stat(path)).mtimeMs)
        if (age !== null && age > ABANDONED_MS) unlinkIfThere(path)
      }
    })
  }

  createOnly(key: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
    return this.#guarded(`create ${key}`, async () => {
      const final = this.#path(key)
      const unfinished = join(await this.#folder(join(this.location, UNFINISHED)), randomUUID())
      try {
        await writeWhole(unfinished, bytes, this.#sync)
        return await this.#linkInto(unfinished, final)
      } finally {
        unlinkIfThere(unfinished)
      }
    })
  }

  getVersioned(key: string): Promise<VersionedObject | null> {
    return this.#guarded(`read ${key}`, async () => {
      const found = await readVersioned(this.#replaceable(key))
      if (found !== null) await this.#settle(dirname(this.#path(key)))
      return found
    })
  }

  async replace(
    key: string,
    bytes: Uint8Array,
    expected: string | null,
  ): Promise<{ readonly version: string } | 'conflict'> {
    if (expected === null) {
      const outcome = await this.createOnly(key, bytes)
      return outcome === 'created' ? { version: firstVersion(bytes) } : 'conflict'
    }
    return this.#guarded(`replace ${key}`, async () => {
      const paths = this.#replaceable(key)
      await this.#folder(paths.versions)
      return replaceGuarded(paths, bytes, expected)
    })
  }

  get(key: string): Promise<Uint8Array | null> {
    return this.#guarded(`read ${key}`, async () => {
      const path = this.#path(key)
      const bytes = await readWhole(path)
      if (bytes === null) return null
      await this.#settle(dirname(path))
      return new Uint8Array(bytes)
    })
  }

  head(key: string): Promise<ObjectInfo | null> {
    return this.#guarded(`look at ${key}`, () => {
      const size = sizeOf(this.#path(key))
      return size === null ? null : { key, size }
    })
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    const folder = folderOf(checkPrefix(prefix))
    const names = await this.#guarded(`list ${prefix}`, () => filesBelow(join(this.location, folder)))
    const keys = names.map(name => folder + name)
    const visible = keys.filter(key => key.startsWith(prefix) && !key.startsWith(`${STAGING_FOLDER}/`))
    for (const key of visible.toSorted()) {
      const info = await this.head(key)
      if (info !== null) yield info
    }
  }

  remove(key: string): Promise<void> {
    return this.#guarded(`remove ${key}`, async () => {
      await forgetReplacements(this.#replaceable(key).versions)
      unlinkIfThere(this.#path(key))
    })
  }

  stage(key: string, bytes: Uint8Array): Promise<StagedObject> {
    return this.#guarded(`stage ${key}`, async () => {
      const checksum = crcHex(crc32c(bytes))
      const upload = `${checkKey(key)}.${bytes.length}.${checksum}.${randomBytes(8).toString('hex')}.part`
      const path = join(this.location, STAGING_FOLDER, upload)
      const folder = await this.#folder(dirname(path))
      await writeWhole(path, bytes, this.#sync)
      if (this.#sync) await syncFolder(folder)
      return { key, upload, size: bytes.length, crc32c: checksum }
    })
  }

  publish(staged: StagedObject): Promise<void> {
    return this.#guarded(`publish ${staged.key}`, async () => {
      const upload = this.#uploadPath(staged)
      this.#requireWhole(upload, staged)
      if ((await this.#publishLink(upload, staged)) === 'exists') await this.#requireSame(staged)
      unlinkIfThere(upload)
    })
  }

  discard(staged: StagedUpload): Promise<void> {
    return this.#guarded(`discard ${staged.key}`, () => unlinkIfThere(this.#uploadPath(staged)))
  }

  async *listStaged(prefix: string): AsyncIterable<StagedObject> {
    const folder = folderOf(checkPrefix(prefix))
    const below = join(this.location, STAGING_FOLDER, folder)
    const names = await this.#guarded(`list uploads of ${prefix}`, () => filesBelow(below))
    for (const name of names.toSorted()) {
      const upload = folder + name
      const [, key, size, checksum] = UPLOAD.exec(upload) ?? []
      if (key === undefined || checksum === undefined || !key.startsWith(prefix)) continue
      yield { key, upload, size: Number(size), crc32c: checksum }
    }
  }

  /** An upload that is gone means that it was published before, or that it is lost. */
  async #publishLink(upload: string, staged: StagedObject): Promise<'created' | 'exists'> {
    try {
      return await this.#linkInto(upload, this.#path(staged.key))
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return 'exists'
      throw error
    }
  }

  /** A loss of power may have cut an upload that nobody synced. */
  #requireWhole(upload: string, staged: StagedObject): void {
    const size = sizeOf(upload)
    if (size !== null && size !== staged.size) throw stagedObjectLost(staged, this.location)
  }

  async #requireSame(staged: StagedObject): Promise<void> {
    const bytes = await readWhole(this.#path(staged.key))
    if (bytes === null || bytes.length !== staged.size || crcHex(crc32c(bytes)) !== staged.crc32c) {
      throw stagedObjectLost(staged, this.location)
    }
  }

  async #linkInto(finished: string, final: string): Promise<'created' | 'exists'> {
    const folder = await this.#folder(dirname(final))
    try {
      const outcome = linkNew(finished, final)
      if (this.#sync) await syncFolder(folder)
      return outcome
    } catch (error) {
      if (!hasCode(error, 'ENOENT') || sizeOf(folder) !== null) throw error
      // somebody removed the folder since it was made
      this.#folders.delete(folder)
      return this.#linkInto(finished, final)
    }
  }

  /**
   * A writer may have died between the link and its sync: before anything follows from an object (a commit that is
   * published), a loss of power must not be able to take it back.
   */
  async #settle(folder: string): Promise<void> {
    if (!this.#sync || this.#settled.has(folder)) return
    await syncFolder(folder)
    this.#settled.add(folder)
  }

  /** Makes a folder below the root. A symbolic link that leads out of the root is refused. */
  async #folder(folder: string): Promise<string> {
    if (this.#folders.has(folder)) return folder
    await makeFolder(folder, this.#sync)
    const root = await realpath(this.location)
    const real = await realpath(folder)
    if (real !== root && !real.startsWith(root + sep)) {
      throw new MillraceError('STORE_UNSAFE_KEY', `${folder} leads out of ${this.location} to ${real}`, {
        remedy: 'Remove the symbolic link, or choose its target as the root.',
      })
    }
    this.#folders.add(folder)
    return folder
  }

  #replaceable(key: string): ReplaceablePaths {
    return { final: this.#path(key), versions: join(this.location, VERSIONS, key), sync: this.#sync }
  }

  #path(key: string): string {
    return join(this.location, checkKey(key))
  }

  /** The upload's name comes from a commit entry: it is checked like a key before it becomes a path. */
  #uploadPath(staged: StagedUpload): string {
    const parts = UPLOAD.exec(staged.upload)
    if (parts?.[1] !== checkKey(staged.key)) throw stagedObjectLost(staged, this.location)
    return join(this.location, STAGING_FOLDER, staged.upload)
  }

  async #guarded<T>(what: string, act: () => T | Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      throw storeFailed(what, this.location, error)
    }
  }
}

const folderOf = (prefix: string): string => prefix.slice(0, prefix.lastIndexOf('/') + 1)
