import { crc32cHex } from '../../base/crc32c.ts'
import { checkKey } from '../keys.ts'
import type { ObjectInfo, ObjectStore, StagedObject } from '../object-store.ts'
import { stagedObjectLost } from '../staged-object-lost.ts'

/** An object store in memory: the twin of the real ones, for tests and simulations. Keeps copies of what it is given. */
export const memoryObjectStore = (): ObjectStore => new MemoryObjectStore()

interface Upload {
  readonly staged: StagedObject
  readonly bytes: Uint8Array
}

class MemoryObjectStore implements ObjectStore {
  readonly location = 'memory'
  readonly #objects = new Map<string, Uint8Array>()
  readonly #uploads = new Map<string, Upload>()
  #nextUpload = 0

  createOnly(key: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
    if (this.#objects.has(checkKey(key))) return Promise.resolve('exists')
    this.#objects.set(key, bytes.slice())
    return Promise.resolve('created')
  }

  get(key: string): Promise<Uint8Array | null> {
    return Promise.resolve(this.#objects.get(checkKey(key))?.slice() ?? null)
  }

  head(key: string): Promise<ObjectInfo | null> {
    const bytes = this.#objects.get(checkKey(key))
    return Promise.resolve(bytes === undefined ? null : { key, size: bytes.length })
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    const keys = [...this.#objects.keys()].filter(key => key.startsWith(prefix)).toSorted()
    for (const key of keys) yield { key, size: this.#objects.get(key)?.length ?? 0 }
  }

  remove(key: string): Promise<void> {
    this.#objects.delete(checkKey(key))
    return Promise.resolve()
  }

  stage(key: string, bytes: Uint8Array): Promise<StagedObject> {
    const upload = `upload-${this.#nextUpload}`
    this.#nextUpload += 1
    const staged = { key: checkKey(key), upload, size: bytes.length, crc32c: crc32cHex(bytes) }
    this.#uploads.set(upload, { staged, bytes: bytes.slice() })
    return Promise.resolve(staged)
  }

  async publish(staged: StagedObject): Promise<void> {
    const upload = this.#uploads.get(staged.upload)
    const visible = this.#objects.get(staged.key)
    if (visible !== undefined && sameContent(visible, staged)) {
      this.#uploads.delete(staged.upload)
      return
    }
    if (upload === undefined || visible !== undefined) throw stagedObjectLost(staged, this.location)
    this.#objects.set(staged.key, upload.bytes)
    this.#uploads.delete(staged.upload)
  }

  discard(staged: StagedObject): Promise<void> {
    this.#uploads.delete(staged.upload)
    return Promise.resolve()
  }

  async *listStaged(prefix: string): AsyncIterable<StagedObject> {
    for (const { staged } of [...this.#uploads.values()]) if (staged.key.startsWith(prefix)) yield staged
  }
}

const sameContent = (bytes: Uint8Array, { size, crc32c }: StagedObject): boolean =>
  bytes.length === size && crc32cHex(bytes) === crc32c
