import { assert } from '../../base/assert.ts'
import type { BinaryColumn, Column } from '../../columnar/column.ts'
import { type RowSet, rowSetSize } from '../row-set.ts'
import type { ColumnAccumulator } from './column-accumulator.ts'
import { grownBytes, grownInt32 } from './growing-memory.ts'
import { ValidityAccumulator } from './validity-accumulator.ts'

/** From here on a native copy is worth the view object that it takes. */
const NATIVE_COPY_BYTES = 64

/** Memory that a few very long values took is given up again. */
const MOST_KEPT_BYTES = 4 * 1_048_576

/** A growing string, json or bytes column. */
export class BinaryAccumulator implements ColumnAccumulator<BinaryColumn> {
  length = 0
  private readonly kind: BinaryColumn['kind']
  private readonly validity = new ValidityAccumulator()
  private offsets: Int32Array = new Int32Array(1)
  private bytes: Uint8Array = new Uint8Array(0)

  constructor(kind: BinaryColumn['kind']) {
    this.kind = kind
  }

  get byteSize(): number {
    return this.length * 4 + this.used + this.validity.byteSize
  }

  append(column: Column, rows: RowSet): void {
    assert(column.kind === this.kind, `a ${this.kind} column gets a ${column.kind} column`)
    const source = column as BinaryColumn
    const { length } = this
    const count = rowSetSize(rows)
    this.validity.append(column.validity, rows, length)
    this.offsets = grownInt32(this.offsets, length + 1, length + count + 1)
    if (rows.kind === 'range') this.appendRange(source, rows.from, rows.until)
    else this.appendList(source, rows.rows)
    this.length += count
  }

  view(): BinaryColumn {
    const { kind, length, used } = this
    const validity = this.validity.view(length)
    return {
      kind,
      length,
      validity,
      offsets: this.offsets.subarray(0, length + 1),
      bytes: this.bytes.subarray(0, used),
    }
  }

  clear(): void {
    this.length = 0
    this.validity.clear()
    if (this.bytes.length > MOST_KEPT_BYTES) this.bytes = new Uint8Array(0)
  }

  private get used(): number {
    return this.offsets[this.length] as number
  }

  private appendRange({ offsets, bytes }: BinaryColumn, from: number, until: number): void {
    const { used, length } = this
    const start = offsets[from] as number
    const end = offsets[until] as number
    this.bytes = grownBytes(this.bytes, used, used + end - start)
    this.bytes.set(bytes.subarray(start, end), used)
    const moved = used - start
    const target = this.offsets
    const shift = length - from
    for (let row = from + 1; row <= until; row++) target[row + shift] = (offsets[row] as number) + moved
  }

  private appendList({ offsets, bytes }: BinaryColumn, rows: Int32Array): void {
    const { length } = this
    const target = this.offsets
    let end = this.used
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as number
      end += (offsets[row + 1] as number) - (offsets[row] as number)
      target[length + i + 1] = end
    }
    this.bytes = grownBytes(this.bytes, this.used, end)
    let to = this.used
    for (let i = 0; i < rows.length; i++) {
      const from = offsets[rows[i] as number] as number
      const count = (target[length + i + 1] as number) - to
      copyBytes(bytes, from, count, this.bytes, to)
      to += count
    }
  }
}

const copyBytes = (source: Uint8Array, from: number, count: number, target: Uint8Array, to: number): void => {
  if (count >= NATIVE_COPY_BYTES) target.set(source.subarray(from, from + count), to)
  else for (let i = 0; i < count; i++) target[to + i] = source[from + i] as number
}
