import { crc32cHex } from '../../base/crc32c.ts'
import { checkKey, checkPrefix } from '../keys.ts'
import type { ObjectInfo, ObjectStore, StagedObject, StagedUpload, VersionedObject } from '../object-store.ts'
import { stagedObjectLost } from '../staged-object-lost.ts'

/** An object store in memory: the twin of the real ones, for tests and simulations. Keeps copies of what it is given. */
export const memoryObjectStore = (): ObjectStore => new MemoryObjectStore()

interface Upload {
  readonly staged: StagedObject
  readonly bytes: Uint8Array
}

class MemoryObjectStore implements ObjectStore {
  readonly location = 'memory'
  readonly conditionalWrites = 'inherent'
  readonly #objects = new Map<string, Uint8Array>()
  readonly #uploads = new Map<string, Upload>()
  /** How often each key was replaced. */
  readonly #replacements = new Map<string, number>()
  #nextUpload = 0

  async createOnly(key: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
    if (this.#objects.has(checkKey(key))) return 'exists'
    this.#objects.set(key, bytes.slice())
    return 'created'
  }

  async getVersioned(key: string): Promise<VersionedObject | null> {
    const bytes = await this.get(key)
    return bytes === null ? null : { bytes, version: this.#version(key, bytes) }
  }

  async replace(
    key: string,
    bytes: Uint8Array,
    expected: string | null,
  ): Promise<{ readonly version: string } | 'conflict'> {
    const there = this.#objects.get(checkKey(key))
    if (expected !== (there === undefined ? null : this.#version(key, there))) return 'conflict'
    if (there !== undefined) this.#replacements.set(key, (this.#replacements.get(key) ?? 0) + 1)
    this.#objects.set(key, bytes.slice())
    return { version: this.#version(key, bytes) }
  }

  async get(key: string): Promise<Uint8Array | null> {
    return this.#objects.get(checkKey(key))?.slice() ?? null
  }

  async head(key: string): Promise<ObjectInfo | null> {
    const bytes = this.#objects.get(checkKey(key))
    return bytes === undefined ? null : { key, size: bytes.length }
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    const begin = checkPrefix(prefix)
    const keys = [...this.#objects.keys()].filter(key => key.startsWith(begin)).toSorted()
    for (const key of keys) {
      const info = await this.head(key)
      if (info !== null) yield info
    }
  }

  async remove(key: string): Promise<void> {
    this.#objects.delete(checkKey(key))
    this.#replacements.delete(key)
  }

  async stage(key: string, bytes: Uint8Array): Promise<StagedObject> {
    const upload = `upload-${this.#nextUpload}`
    this.#nextUpload += 1
    const staged = { key: checkKey(key), upload, size: bytes.length, crc32c: crc32cHex(bytes) }
    this.#uploads.set(upload, { staged, bytes: bytes.slice() })
    return staged
  }

  async publish(staged: StagedObject): Promise<void> {
    const upload = this.#uploads.get(staged.upload)
    const visible = this.#objects.get(checkKey(staged.key))
    if (visible !== undefined && sameContent(visible, staged)) {
      this.#uploads.delete(staged.upload)
      return
    }
    if (upload === undefined || visible !== undefined) throw stagedObjectLost(staged, this.location)
    this.#objects.set(staged.key, upload.bytes)
    this.#uploads.delete(staged.upload)
  }

  async discard(staged: StagedUpload): Promise<void> {
    this.#uploads.delete(staged.upload)
  }

  #version(key: string, bytes: Uint8Array): string {
    return `${this.#replacements.get(key) ?? 0}.${crc32cHex(bytes)}`
  }

  async *listStaged(prefix: string): AsyncIterable<StagedObject> {
    const begin = checkPrefix(prefix)
    const uploads = [...this.#uploads.values()].map(({ staged }) => staged)
    const below = uploads.filter(({ key }) => key.startsWith(begin))
    yield* below.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  }
}

const sameContent = (bytes: Uint8Array, { size, crc32c }: StagedObject): boolean =>
  bytes.length === size && crc32cHex(bytes) === crc32c
