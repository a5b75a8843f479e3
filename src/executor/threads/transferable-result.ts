import type { Column } from '../../columnar/column.ts'
import type { ColumnBatch } from '../../columnar/column-batch.ts'
import type { EncodedFile } from '../../sinks/sink.ts'
import { isShared } from '../../sinks/spare-buffers.ts'
import type { BranchResult, TaskResult } from '../task.ts'

/** A result that can be posted to another thread together with the buffers that move there. */
export interface TransferableResult {
  readonly result: TaskResult
  /** Every buffer of the result, once. */
  readonly transfer: readonly ArrayBuffer[]
}

/**
 * Makes every array of a result the owner of its buffer: an array that is a part of a larger buffer (a pool, the memory
 * of a WASM module) is copied, since a transfer takes the whole buffer away. Arrays that stand in it twice stay one, and
 * memory that threads share stays where it is.
 */
export const transferableResult = (result: TaskResult): TransferableResult => {
  const owned = new OwnedBuffers()
  return {
    result: {
      ...result,
      branches: result.branches.map(branch => ownedBranch(branch, owned)),
      deadLetters: result.deadLetters.map(file => ownedFile(file, owned)),
    },
    transfer: owned.buffers(),
  }
}

type Values = Uint8Array | Int32Array | BigInt64Array | Float64Array | Float32Array

class OwnedBuffers {
  readonly #owned = new Map<ArrayBufferLike, ArrayBuffer>()
  readonly #copies = new Map<Values, Values>()

  /** The array itself where it spans its whole buffer, else a copy. */
  own<V extends Values>(values: V): V {
    const { buffer } = values
    // an empty array may be a constant of some module: moving it would leave that module with a dead one
    if (values.byteLength === 0) return values
    if (buffer instanceof ArrayBuffer && values.byteLength === buffer.byteLength) {
      this.#owned.set(buffer, buffer)
      return values
    }
    const known = this.#copies.get(values) as V | undefined
    if (known !== undefined) return known
    // not values.slice(): of a Buffer that would be a view again
    const copy = new ArrayBuffer(values.byteLength)
    new Uint8Array(copy).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    this.#owned.set(copy, copy)
    const moved = viewOf(values, copy)
    this.#copies.set(values, moved)
    return moved
  }

  buffers(): readonly ArrayBuffer[] {
    return [...this.#owned.values()]
  }
}

const viewOf = <V extends Values>(like: V, buffer: ArrayBuffer): V => {
  const kind = like.constructor as new (buffer: ArrayBuffer) => V
  return like instanceof Uint8Array ? (new Uint8Array(buffer) as V) : new kind(buffer)
}

const ownedFile = (file: EncodedFile, owned: OwnedBuffers): EncodedFile => ({
  ...file,
  bytes: isShared(file.bytes) ? file.bytes : owned.own(file.bytes),
})

const ownedBranch = (branch: BranchResult, owned: OwnedBuffers): BranchResult => ({
  ...branch,
  files: branch.files.map(files => files.map(file => ownedFile(file, owned))),
  rows: branch.rows.map(batches => batches.map(batch => ownedBatch(batch, owned))),
  partials: branch.partials === null ? null : ownedBatch(branch.partials, owned),
})

const ownedBatch = (batch: ColumnBatch, owned: OwnedBuffers): ColumnBatch => ({
  ...batch,
  columns: batch.columns.map(column => ownedColumn(column, owned)),
  selection: batch.selection === null ? null : owned.own(batch.selection),
  origin: null,
})

const ownedColumn = <C extends Column>(column: C, owned: OwnedBuffers): C => {
  const validity = column.validity === null ? null : owned.own(column.validity)
  if (column.kind === 'list') {
    return { ...column, validity, offsets: owned.own(column.offsets), child: ownedColumn(column.child, owned) }
  }
  if ('bytes' in column) {
    return { ...column, validity, offsets: owned.own(column.offsets), bytes: owned.own(column.bytes) }
  }
  return { ...column, validity, values: owned.own(column.values) }
}
