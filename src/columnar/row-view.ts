import { assert, assertNever, present } from '../base/assert.ts'
import type { BinaryColumn, BoolColumn, Column, Int64Column, ListColumn } from './column.ts'
import { type ColumnBatch, rowCount } from './column-batch.ts'
import type { Field, TableSchema } from './schema.ts'
import { TextCache } from './text-cache.ts'

/** A row as lambdas see it. Values: see `rowView`. */
export type ViewedRow = Readonly<Record<string, unknown>>

/** One row object for a whole pipeline: it stands at a row, and its getters read the columns there. */
export interface RowView {
  /** Has a getter for each column. Means another row after each `moveTo`: never keep it. */
  readonly row: ViewedRow
  /** Reads this batch from now on. */
  bind(batch: ColumnBatch): void
  /** Stands at a position of the bound batch (selected or not). */
  moveTo(row: number): void
}

/**
 * A view of rows with these columns. Values: boolean; number for int32, float32, float64; bigint for int64; string for
 * string and json; Uint8Array (a copy) for bytes; epoch milliseconds for timestamp; days since 1970-01-01 for date;
 * an array for lists; null. Only int64, bytes, lists and strings not seen before allocate.
 */
export const rowView = (schema: TableSchema): RowView => {
  const cells = schema.fields.map(cellFor)
  const row = Object.create(null) as Record<string, unknown>
  for (const [at, { name }] of schema.fields.entries()) {
    const cell = cells[at] as Cell
    Object.defineProperty(row, name, { get: cell.get, enumerable: true })
  }
  Object.preventExtensions(row)
  return {
    row,
    bind(batch) {
      for (const [at, cell] of cells.entries()) cell.bind(present(batch.columns[at], 'column'))
    },
    moveTo(position) {
      for (let at = 0; at < cells.length; at += 1) (cells[at] as Cell).row = position
    },
  }
}

/** Plain objects for the rows that count, for sinks that hand rows to users. Allocates per row. */
export const materialize = (batch: ColumnBatch): readonly ViewedRow[] => {
  const view = rowView(batch.schema)
  view.bind(batch)
  const names = batch.schema.fields.map(field => field.name)
  return Array.from({ length: rowCount(batch) }, (_, at) => {
    view.moveTo(batch.selection === null ? at : (batch.selection[at] as number))
    return Object.fromEntries(names.map(name => [name, view.row[name]]))
  })
}

type Read = (row: number) => unknown

/** One column under the view. Each kind of values has a getter of its own, which V8 compiles for that kind alone. */
abstract class Cell {
  row = 0
  validity: Uint8Array | null = null
  abstract readonly get: () => unknown
  abstract bind(column: Column): void
}

const isNull = ({ validity, row }: Cell): boolean =>
  validity !== null && ((validity[row >> 3] as number) & (1 << (row & 7))) === 0

class NumberCell extends Cell {
  #values: Int32Array | Float64Array | Float32Array = new Int32Array(0)
  readonly get = (): unknown => (isNull(this) ? null : this.#values[this.row])

  bind(column: Column): void {
    assert(column.kind === 'int32' || column.kind === 'float64' || column.kind === 'float32', 'a column of numbers')
    this.validity = column.validity
    this.#values = column.values
  }
}

class TextCell extends Cell {
  readonly #texts = new TextCache()
  #offsets: Int32Array = new Int32Array(0)
  #bytes: Uint8Array = new Uint8Array(0)
  readonly get = (): unknown =>
    isNull(this)
      ? null
      : this.#texts.decode(this.#bytes, this.#offsets[this.row] as number, this.#offsets[this.row + 1] as number)

  bind(column: Column): void {
    assert(column.kind === 'string', 'a column of strings')
    this.validity = column.validity
    this.#offsets = column.offsets
    this.#bytes = column.bytes
  }
}

class OtherCell extends Cell {
  readonly #texts = new TextCache()
  #read: Read = () => null
  readonly get = (): unknown => (isNull(this) ? null : this.#read(this.row))

  bind(column: Column): void {
    this.validity = column.validity
    this.#read = reader(column, this.#texts)
  }
}

const cellFor = ({ type }: Field): Cell => {
  if (type === 'string') return new TextCell()
  return type === 'int32' || type === 'float64' || type === 'float32' ? new NumberCell() : new OtherCell()
}

const reader = (column: Column, texts: TextCache): Read => {
  switch (column.kind) {
    case 'bool':
      return bits(column)
    case 'int32':
    case 'date':
    case 'float32':
    case 'float64':
    case 'int64': {
      const { values } = column
      return row => values[row]
    }
    case 'timestamp':
      return timestamps(column)
    case 'string':
    case 'json':
      return strings(column, texts)
    case 'bytes':
      return row => column.bytes.slice(column.offsets[row], column.offsets[row + 1])
    case 'list':
      return lists(column, texts)
    default:
      return assertNever(column)
  }
}

const bits =
  ({ values }: BoolColumn): Read =>
  row =>
    ((values[row >> 3] as number) & (1 << (row & 7))) !== 0

/** Two 32-bit words instead of a BigInt; exact for every date there is. */
const timestamps = ({ values }: Int64Column): Read => {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2)
  return row => (words[2 * row + 1] as number) * 0x1_0000_0000 + ((words[2 * row] as number) >>> 0)
}

const strings =
  ({ bytes, offsets }: BinaryColumn, texts: TextCache): Read =>
  row =>
    texts.decode(bytes, offsets[row] as number, offsets[row + 1] as number)

const lists = ({ offsets, child }: ListColumn, texts: TextCache): Read => {
  assert(child.length >= (offsets.at(-1) ?? 0), 'a list points into its child')
  const read = reader(child, texts)
  const item: Read = at =>
    child.validity !== null && ((child.validity[at >> 3] as number) & (1 << (at & 7))) === 0 ? null : read(at)
  return row => {
    const from = offsets[row] as number
    return Array.from({ length: (offsets[row + 1] as number) - from }, (_, at) => item(from + at))
  }
}
