import { assert } from '../../base/assert.ts'
import type { BoolColumn, Column } from '../../columnar/column.ts'
import { type RowSet, rowSetSize } from '../row-set.ts'
import { bytesForBits, copyBits, getBit, putBit } from './bits.ts'
import type { ColumnAccumulator } from './column-accumulator.ts'
import { grownBytes, grownInt32 } from './growing-memory.ts'
import { ValidityAccumulator } from './validity-accumulator.ts'

type FixedKind = 'int32' | 'date' | 'float32' | 'int64' | 'timestamp' | 'float64'
type FixedColumn = Extract<Column, { kind: FixedKind }>

/** Values of 4 or 8 bytes, moved as 32-bit words whatever they mean, so that no bit of a NaN or an int64 changes. */
export class FixedWidthAccumulator implements ColumnAccumulator<FixedColumn> {
  length = 0
  private readonly kind: FixedKind
  private readonly width: 1 | 2
  private readonly validity = new ValidityAccumulator()
  private words: Int32Array = new Int32Array(0)

  constructor(kind: FixedKind, width: 1 | 2) {
    this.kind = kind
    this.width = width
  }

  get byteSize(): number {
    return this.length * this.width * 4 + this.validity.byteSize
  }

  append(column: Column, rows: RowSet): void {
    assert(column.kind === this.kind, `a ${this.kind} column gets a ${column.kind} column`)
    const { width, length } = this
    const count = rowSetSize(rows)
    this.validity.append(column.validity, rows, length)
    this.words = grownInt32(this.words, length * width, (length + count) * width)
    const { values } = column as FixedColumn
    const source = new Int32Array(values.buffer, values.byteOffset, values.length * width)
    if (rows.kind === 'range') {
      this.words.set(source.subarray(rows.from * width, rows.until * width), length * width)
    } else if (width === 1) gatherWords(source, rows.rows, this.words, length)
    else gatherWordPairs(source, rows.rows, this.words, length)
    this.length += count
  }

  view(): FixedColumn {
    const { kind, length, words } = this
    const validity = this.validity.view(length)
    switch (kind) {
      case 'int32':
      case 'date':
        return { kind, length, validity, values: words.subarray(0, length) }
      case 'float32':
        return { kind, length, validity, values: new Float32Array(words.buffer, 0, length) }
      case 'int64':
      case 'timestamp':
        return { kind, length, validity, values: new BigInt64Array(words.buffer, 0, length) }
      case 'float64':
        return { kind, length, validity, values: new Float64Array(words.buffer, 0, length) }
    }
  }

  clear(): void {
    this.length = 0
    this.validity.clear()
  }
}

const gatherWords = (source: Int32Array, rows: Int32Array, target: Int32Array, at: number): void => {
  for (let i = 0; i < rows.length; i++) target[at + i] = source[rows[i] as number] as number
}

const gatherWordPairs = (source: Int32Array, rows: Int32Array, target: Int32Array, at: number): void => {
  for (let i = 0, to = 2 * at; i < rows.length; i++, to += 2) {
    const from = 2 * (rows[i] as number)
    target[to] = source[from] as number
    target[to + 1] = source[from + 1] as number
  }
}

/** A growing bool column, a bit per row. */
export class BoolAccumulator implements ColumnAccumulator<BoolColumn> {
  length = 0
  private readonly validity = new ValidityAccumulator()
  private bits: Uint8Array = new Uint8Array(0)

  get byteSize(): number {
    return bytesForBits(this.length) + this.validity.byteSize
  }

  append(column: Column, rows: RowSet): void {
    assert(column.kind === 'bool', `a bool column gets a ${column.kind} column`)
    const { length } = this
    const count = rowSetSize(rows)
    this.validity.append(column.validity, rows, length)
    this.bits = grownBytes(this.bits, bytesForBits(length), bytesForBits(length + count))
    if (rows.kind === 'range') copyBits(column.values, rows.from, this.bits, length, count)
    else for (let i = 0; i < count; i++) putBit(this.bits, length + i, getBit(column.values, rows.rows[i] as number))
    this.length += count
  }

  view(): BoolColumn {
    const { length } = this
    return {
      kind: 'bool',
      length,
      validity: this.validity.view(length),
      values: this.bits.subarray(0, bytesForBits(length)),
    }
  }

  clear(): void {
    this.length = 0
    this.validity.clear()
  }
}
