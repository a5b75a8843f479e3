import { crc32cHex } from '../../base/crc32c.ts'
import { MillraceError } from '../../base/errors.ts'
import { mapBounded } from '../../base/map-bounded.ts'
import type { Random } from '../../base/random.ts'
import { utf8Bytes, utf8Text } from '../../base/text.ts'
import type { BatchId, EpochMs } from '../../base/units.ts'
import type { ColumnBatch } from '../../columnar/column-batch.ts'
import { decodeBatch, encodeBatch } from '../../columnar/serialize.ts'
import { nextLogWrite } from '../../storage/log-merging.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import type { LogObject, ViewManifest } from './view-receipt.ts'
import { lastOfEachKey, VIEW_ROWS } from './view-rows.ts'

/** Objects that are read at once. */
const PARALLEL_READS = 8
/** Folder under the root that logs of views lie in. */
const VIEWS_FOLDER = '_views'
const BATCH_DIGITS = 12

/** Where a view's log is and whose it is. */
export interface ViewLogOptions {
  readonly store: ObjectStore
  readonly random: Random
  readonly pipeline: string
  readonly view: string
}

/**
 * What a view is rebuilt from: a snapshot of its rows and the changes since, as objects in the store that commits list
 * and nothing else does. Its objects are merged as those of the state log are, so that the cost of a batch follows the
 * rows that it changed.
 */
export class ViewLog {
  readonly #options: ViewLogOptions
  readonly #folder: string

  constructor(options: ViewLogOptions) {
    this.#options = options
    this.#folder = `${VIEWS_FOLDER}/${options.pipeline}/${options.view}/`
  }

  /**
   * Identifies the view in this store for ever, so that a view in Redis is known as ours. Made at the first call, by
   * whoever comes first.
   */
  async identity(): Promise<string> {
    const { store, random } = this.#options
    const key = `${this.#folder}identity`
    const own = random.nonce()
    if ((await store.createOnly(key, utf8Bytes(own))) === 'created') return own
    const there = await store.get(key)
    if (there === null) throw damaged(key, 'it is gone')
    return utf8Text(there)
  }

  /** Writes a batch's change, alone or with changes before it, or begins the log anew. Nothing counts before a commit lists it. */
  async append(before: ViewManifest, batch: BatchId, change: ColumnBatch, now: EpochMs): Promise<ViewManifest> {
    if (change.length === 0) return before
    const { changes, snapshot } = before
    const write = nextLogWrite(changes, encodeBatch(change).byteLength, snapshot?.size ?? 0)
    if (write.kind === 'snapshot') {
      const all = lastOfEachKey([...(await this.readAll(objectsOf(before))), change], now)
      return { snapshot: await this.#write(batch, 'snapshot', all), changes: [] }
    }
    const kept = changes.slice(0, changes.length - write.merged)
    const merged = await this.readAll(changes.slice(kept.length))
    const rows = merged.length === 0 ? change : lastOfEachKey([...merged, change], now)
    return { snapshot, changes: [...kept, await this.#write(batch, 'changes', rows)] }
  }

  /** @throws CHECKPOINT_DAMAGED where an object is gone, or is not what was written */
  readAll(objects: readonly LogObject[]): Promise<readonly ColumnBatch[]> {
    return mapBounded(objects, PARALLEL_READS, object => this.read(object))
  }

  /** As `readAll`, for one object. */
  async read({ key, size, crc32c }: LogObject): Promise<ColumnBatch> {
    const bytes = await this.#options.store.get(key)
    if (bytes === null) throw damaged(key, 'it is gone')
    if (bytes.length !== size || crc32cHex(bytes) !== crc32c) throw damaged(key, 'its size or checksum does not fit')
    return decodeBatch(bytes)
  }

  /** Removes what is listed in `dropped` and not in `kept`. */
  async discard(dropped: ViewManifest, kept: ViewManifest | null): Promise<void> {
    const listed = new Set(objectsOf(kept).map(({ key }) => key))
    for (const { key } of objectsOf(dropped)) if (!listed.has(key)) await this.#options.store.remove(key)
  }

  /** Removes objects of batches up to `committed` that `kept` does not list. Later ones may still be committed. */
  async clearUp(committed: BatchId, kept: ViewManifest | null): Promise<void> {
    const listed = new Set(objectsOf(kept).map(({ key }) => key))
    for await (const { key } of this.#options.store.list(this.#folder)) {
      const batch = /\/(\d{12,})-(?:snapshot|changes)-[0-9a-f]+$/.exec(key)?.[1]
      if (batch !== undefined && Number(batch) <= committed && !listed.has(key)) await this.#options.store.remove(key)
    }
  }

  async #write(batch: BatchId, part: 'snapshot' | 'changes', rows: ColumnBatch): Promise<LogObject> {
    const { store, random } = this.#options
    const key = `${this.#folder}${String(batch).padStart(BATCH_DIGITS, '0')}-${part}-${random.nonce().slice(0, 16)}`
    const bytes = encodeBatch({ ...rows, schema: VIEW_ROWS })
    // where it exists, it is ours: the answer was lost
    await store.createOnly(key, bytes)
    return { key, size: bytes.length, crc32c: crc32cHex(bytes), until: batch }
  }
}

/** The objects of a log in the order that their rows were written. */
export const objectsOf = (manifest: ViewManifest | null): readonly LogObject[] => {
  if (manifest === null) return []
  return manifest.snapshot === null ? manifest.changes : [manifest.snapshot, ...manifest.changes]
}

const damaged = (key: string, why: string): MillraceError =>
  new MillraceError('CHECKPOINT_DAMAGED', `the object ${key} of a view's log is damaged: ${why}`, {
    remedy: 'Restore it from a backup, or give the view another name: it then fills as its rows change.',
    details: { key },
  })
