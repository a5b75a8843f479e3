import { assert, assertNever, present } from '../../base/assert.ts'
import type { Column, ScalarColumn } from '../../columnar/column.ts'
import type { ColumnType, Field, ScalarType } from '../../columnar/schema.ts'
import type { IpcBatch, IpcField } from './ipc-reader.ts'

const INT = 2
const FLOAT = 3
const BINARY = 4
const UTF8 = 5
const BOOL = 6
const DATE = 8
const TIMESTAMP = 10
const LIST = 12

/** Whether a column of a file can be read as the type that the schema says. */
export const fitsType = (found: IpcField, type: ColumnType): boolean => {
  const item = itemType(type)
  if (item !== null) return found.type === LIST && found.children[0] !== undefined && fitsType(found.children[0], item)
  switch (type as ScalarType) {
    case 'bool':
      return found.type === BOOL
    case 'int32':
      return found.type === INT && found.detail === 32 && found.signed
    case 'int64':
      return found.type === INT && found.detail === 64 && found.signed
    case 'float32':
      return found.type === FLOAT && found.detail === 1
    case 'float64':
      return found.type === FLOAT && found.detail === 2
    case 'string':
    case 'json':
      return found.type === UTF8
    case 'bytes':
      return found.type === BINARY
    case 'timestamp':
      return found.type === TIMESTAMP
    case 'date':
      return found.type === DATE && found.detail === 0
    default:
      return assertNever(type as never)
  }
}

const itemType = (type: ColumnType): ScalarType | null => (/^list<(.+)>$/.exec(type)?.[1] ?? null) as ScalarType | null

/** Takes columns out of a record batch in the order in which they lie there; they share its memory. */
export class ColumnReader {
  readonly #batch: IpcBatch
  #node = 0
  #buffer = 0

  constructor(batch: IpcBatch) {
    this.#batch = batch
  }

  /** The next column, as the type that it is known to fit. @throws BUG where a required column holds a null */
  next(found: IpcField, field: Field): Column {
    const item = itemType(field.type)
    if (item === null) return this.#scalar(found, field.type as ScalarType, field.nullable)
    const { length, validity } = this.#start(field.nullable)
    const offsets = this.#offsets(length)
    const child = this.#scalar(present(found.children[0], 'item of a list'), item, true)
    return { kind: 'list', length, validity, offsets, child }
  }

  /** States that the batch held these columns and no other. */
  requireEnd(): void {
    const { nodes, buffers } = this.#batch
    assert(this.#node === nodes.length && this.#buffer === buffers.length, 'a batch holds the columns asked for')
  }

  #scalar(found: IpcField, kind: ScalarType, nullable: boolean): ScalarColumn {
    const { length, validity } = this.#start(nullable)
    switch (kind) {
      case 'bool':
        return { kind, length, validity, values: this.#take() }
      case 'int32':
      case 'date':
        return { kind, length, validity, values: new Int32Array(this.#aligned(), 0, length) }
      case 'int64':
        return { kind, length, validity, values: new BigInt64Array(this.#aligned(), 0, length) }
      case 'timestamp': {
        const values = new BigInt64Array(this.#aligned(), 0, length)
        return { kind, length, validity, values: inMilliseconds(values, found.detail) }
      }
      case 'float32':
        return { kind, length, validity, values: new Float32Array(this.#aligned(), 0, length) }
      case 'float64':
        return { kind, length, validity, values: new Float64Array(this.#aligned(), 0, length) }
      case 'string':
      case 'json':
      case 'bytes':
        return { kind, length, validity, offsets: this.#offsets(length), bytes: this.#take() }
      default:
        return assertNever(kind)
    }
  }

  #start(nullable: boolean): { readonly length: number; readonly validity: Uint8Array | null } {
    const { length, nulls } = present(this.#batch.nodes[this.#node++], 'node of a column')
    const bits = this.#take()
    assert(nulls === 0 || nullable, 'a required column holds no null')
    return { length, validity: nulls === 0 ? null : bits }
  }

  /** A batch without rows may come without offsets. */
  #offsets(length: number): Int32Array {
    const buffer = this.#aligned()
    return buffer.byteLength === 0 ? new Int32Array(1) : new Int32Array(buffer, 0, length + 1)
  }

  #take(): Uint8Array {
    return present(this.#batch.buffers[this.#buffer++], 'buffer of a column')
  }

  /** A copy, which begins where any typed array may begin and keeps no other column in memory. */
  #aligned(): ArrayBuffer {
    const copy = new ArrayBuffer(present(this.#batch.buffers[this.#buffer], 'buffer of a column').byteLength)
    new Uint8Array(copy).set(this.#take())
    return copy
  }
}

/** Units: seconds, milliseconds (what we write), microseconds, nanoseconds. Finer ones are cut towards the past. */
const inMilliseconds = (values: BigInt64Array, unit: number): BigInt64Array => {
  if (unit === 1) return values
  if (unit === 0) return values.map(value => value * 1000n)
  const divisor = unit === 2 ? 1000n : 1_000_000n
  return values.map(value => (value - (((value % divisor) + divisor) % divisor)) / divisor)
}
