import { assert } from '../../base/assert.ts'
import type { Column, ListColumn, ScalarColumn } from '../../columnar/column.ts'
import { type RowSet, rowSetSize } from '../row-set.ts'
import type { ColumnAccumulator } from './column-accumulator.ts'
import { grownInt32 } from './growing-memory.ts'
import { ValidityAccumulator } from './validity-accumulator.ts'

/** A growing list column over a growing column of its elements. */
export class ListAccumulator implements ColumnAccumulator<ListColumn> {
  length = 0
  private readonly validity = new ValidityAccumulator()
  private readonly child: ColumnAccumulator<ScalarColumn>
  private offsets: Int32Array = new Int32Array(1)

  constructor(child: ColumnAccumulator<ScalarColumn>) {
    this.child = child
  }

  get byteSize(): number {
    return this.length * 4 + this.validity.byteSize + this.child.byteSize
  }

  append(column: Column, rows: RowSet): void {
    assert(column.kind === 'list', `a list column gets a ${column.kind} column`)
    const { length } = this
    const count = rowSetSize(rows)
    this.validity.append(column.validity, rows, length)
    this.offsets = grownInt32(this.offsets, length + 1, length + count + 1)
    let end = this.child.length
    for (let i = 0; i < count; i++) {
      const row = rows.kind === 'range' ? rows.from + i : (rows.rows[i] as number)
      end += (column.offsets[row + 1] as number) - (column.offsets[row] as number)
      this.offsets[length + i + 1] = end
    }
    this.child.append(column.child, elementsOf(column.offsets, rows, end - this.child.length))
    this.length += count
  }

  view(): ListColumn {
    const { length } = this
    return {
      kind: 'list',
      length,
      validity: this.validity.view(length),
      offsets: this.offsets.subarray(0, length + 1),
      child: this.child.view(),
    }
  }

  clear(): void {
    this.length = 0
    this.validity.clear()
    this.child.clear()
  }
}

/** Positions of the elements of these lists, `count` in all. */
const elementsOf = (offsets: Int32Array, rows: RowSet, count: number): RowSet => {
  if (rows.kind === 'range') {
    return { kind: 'range', from: offsets[rows.from] as number, until: offsets[rows.until] as number }
  }
  const elements = new Int32Array(count)
  let at = 0
  for (let i = 0; i < rows.rows.length; i++) {
    const row = rows.rows[i] as number
    const end = offsets[row + 1] as number
    for (let element = offsets[row] as number; element < end; element++) elements[at++] = element
  }
  return { kind: 'list', rows: elements }
}
