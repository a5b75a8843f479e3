import { assertNever, present } from '../../base/assert.ts'
import { partialFields } from '../aggregate-types.ts'
import type { Column } from '../column.ts'
import { type ColumnBatch, rowCount } from '../column-batch.ts'
import type { AggregateSpec, GroupSpec, GroupTable } from '../group-table.ts'
import { type Field, fieldIndex, type TableSchema, tableSchema } from '../schema.ts'
import type { Accumulator } from './groups/accumulator.ts'
import { Count } from './groups/count.ts'
import { LongExtremum, NumberExtremum } from './groups/extremum.ts'
import { type KeyWords, keyWords } from './groups/key-words.ts'
import type { Direction, GroupedRows } from './groups/loops.ts'
import { type GroupParts, typescriptParts } from './groups/parts.ts'
import { Average, FloatSum, IntegerSum } from './groups/sum.ts'
import { TextExtremum } from './groups/text-extremum.ts'
import { WordTable } from './groups/word-table.ts'

/** An empty group table for rows of `input`; the contract is the port's. */
export const createGroupTable = (input: TableSchema, spec: GroupSpec, parts?: GroupParts): GroupTable =>
  new WordGroupTable(input, spec, parts ?? typescriptParts())

/** One aggregate with where its columns are. */
interface Folded {
  readonly spec: AggregateSpec
  readonly accumulator: Accumulator
  /** Position of its column in the input, -1 where rows are counted. */
  readonly inputColumn: number
  /** Position of its first column in partials, and how many it has there. */
  readonly partialColumn: number
  readonly partialColumns: number
}

class WordGroupTable implements GroupTable {
  readonly partialSchema: TableSchema
  readonly resultSchema: TableSchema
  readonly #keys: readonly KeyWords[]
  /** Positions of the key columns in the input. In partials they come first. */
  readonly #inputKeys: readonly number[]
  readonly #table: WordTable
  readonly #folded: readonly Folded[]
  readonly #parts: GroupParts

  constructor(input: TableSchema, spec: GroupSpec, parts: GroupParts) {
    this.#parts = parts
    this.#inputKeys = spec.keys.map(name => fieldIndex(input, name))
    const keyFields = this.#inputKeys.map(at => present(input.fields[at], 'key column'))
    this.#keys = keyFields.map(field => keyWords(field, parts))
    this.#table = new WordTable(
      this.#keys.reduce((words, key) => words + key.width, 0),
      parts,
    )
    this.partialSchema = tableSchema([...keyFields, ...spec.aggregates.flatMap(partialFields)])
    this.resultSchema = tableSchema([...keyFields, ...spec.aggregates.map(resultField)])
    let partialColumn = keyFields.length
    this.#folded = spec.aggregates.map(aggregate => {
      const inputColumn = aggregate.column === null ? -1 : fieldIndex(input, aggregate.column)
      const partialColumns = partialFields(aggregate).length
      const accumulator = accumulatorFor(aggregate, input.fields[inputColumn], parts)
      const folded = { spec: aggregate, accumulator, inputColumn, partialColumn, partialColumns }
      partialColumn += partialColumns
      return folded
    })
  }

  get groups(): number {
    return this.#table.count
  }

  get byteSize(): number {
    const keys = this.#keys.reduce((bytes, key) => bytes + key.byteSize, this.#table.byteSize)
    return this.#folded.reduce((bytes, { accumulator }) => bytes + accumulator.byteSize, keys)
  }

  add(rows: ColumnBatch): void {
    const grouped = this.#assign(rows, this.#inputKeys)
    for (const { accumulator, inputColumn } of this.#folded) {
      const column = inputColumn === -1 ? null : present(rows.columns[inputColumn], 'input column')
      accumulator.add(column, grouped)
    }
    this.#parts.space.endBatch()
  }

  number(rows: ColumnBatch, into: Int32Array): void {
    const { groupOf, count } = this.#assign(rows, this.#inputKeys)
    into.set(groupOf.subarray(0, count))
    this.#parts.space.endBatch()
  }

  merge(partials: ColumnBatch): void {
    const keyColumns = this.#keys.map((_, at) => at)
    const grouped = this.#assign(partials, keyColumns)
    for (const { accumulator, partialColumn, partialColumns } of this.#folded) {
      accumulator.merge(partials.columns.slice(partialColumn, partialColumn + partialColumns), grouped)
    }
    this.#parts.space.endBatch()
  }

  takeChanged(): ColumnBatch {
    const changed: number[] = []
    const { touched } = this.#table
    for (let group = 0; group < this.groups; group += 1) if (touched[group] === 1) changed.push(group)
    touched.fill(0)
    return this.#partials(Int32Array.from(changed))
  }

  all(): ColumnBatch {
    const groups = new Int32Array(this.groups)
    for (let group = 0; group < groups.length; group += 1) groups[group] = group
    return this.#partials(groups)
  }

  finish(partials: ColumnBatch): ColumnBatch {
    const keys = partials.columns.slice(0, this.#keys.length)
    const results = this.#folded.map(({ spec, partialColumn }) => finished(spec, partials.columns, partialColumn))
    return { ...partials, schema: this.resultSchema, columns: [...keys, ...results] }
  }

  dispose(): void {
    for (const key of this.#keys) key.dispose?.()
    this.#parts.space.dispose()
  }

  /** The group of each row. */
  #assign(batch: ColumnBatch, keyColumns: readonly number[]): GroupedRows {
    const { space } = this.#parts
    const { selection } = batch
    const count = rowCount(batch)
    const stride = this.#table.width
    const groupOf = space.take(count)
    const keys = space.take(count * stride)
    let at = 0
    for (const [index, key] of this.#keys.entries()) {
      const column = present(batch.columns[keyColumns[index] as number], 'key column')
      key.pack(column, selection, count, keys, at, stride)
      at += key.width
    }
    this.#table.assign(keys, count, groupOf)
    return { selection, groupOf, count, groups: this.groups }
  }

  #partials(groups: Int32Array): ColumnBatch {
    const stride = this.#table.width
    let at = 0
    const keys = this.#keys.map((key): Column => {
      const column = key.unpack(this.#table.words, groups, at, stride)
      at += key.width
      return column
    })
    const columns = [...keys, ...this.#folded.flatMap(({ accumulator }) => accumulator.columns(groups))]
    return { schema: this.partialSchema, columns, length: groups.length, selection: null, origin: null }
  }
}

const resultField = ({ as, fn, type }: AggregateSpec): Field => ({ name: as, type, nullable: fn !== 'count' })

const accumulatorFor = ({ fn, as, type }: AggregateSpec, input: Field | undefined, parts: GroupParts): Accumulator => {
  switch (fn) {
    case 'count':
      return new Count(parts)
    case 'avg':
      return new Average(parts)
    case 'sum':
      return type === 'int64' ? new IntegerSum(parts, input?.name ?? as) : new FloatSum(parts)
    case 'min':
    case 'max':
      return extremumFor(type, fn === 'min' ? -1 : 1, parts)
    default:
      return assertNever(fn)
  }
}

const extremumFor = (type: AggregateSpec['type'], direction: Direction, parts: GroupParts): Accumulator => {
  if (type === 'int64' || type === 'timestamp') return new LongExtremum(parts, type, direction)
  if (type === 'int32' || type === 'date' || type === 'float32' || type === 'float64') {
    return new NumberExtremum(parts, type, direction)
  }
  return new TextExtremum(direction)
}

/** Only a mean differs from its accumulator: sum / count, null over no value. */
const finished = ({ fn }: AggregateSpec, columns: readonly Column[], at: number): Column => {
  const column = present(columns[at], 'accumulator column')
  if (fn !== 'avg') return column
  const counts = columns[at + 1]
  if (column.kind !== 'float64' || counts?.kind !== 'int64') throw new TypeError('a mean has a sum and a count')
  const { length } = column
  const values = new Float64Array(length)
  const validity = new Uint8Array((length + 7) >> 3)
  for (let row = 0; row < length; row += 1) {
    const count = Number(counts.values[row])
    if (count === 0) continue
    values[row] = (column.values[row] as number) / count
    validity[row >> 3] = (validity[row >> 3] as number) | (1 << (row & 7))
  }
  return { kind: 'float64', length, validity, values }
}
