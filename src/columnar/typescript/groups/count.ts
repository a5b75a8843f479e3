import { assert } from '../../../base/assert.ts'
import type { Column } from '../../column.ts'
import { type Accumulator, takePairs } from './accumulator.ts'
import type { GroupedRows } from './loops.ts'
import type { GroupParts } from './parts.ts'

/** Counts of rows, or of values that are not null, in 64 bits. */
export class Count implements Accumulator {
  readonly #parts: GroupParts
  #counts = new Int32Array(0)
  /** What `sumIntegers` wants to know; a count is never null. */
  #seen = new Uint8Array(0)

  constructor(parts: GroupParts) {
    this.#parts = parts
  }

  get byteSize(): number {
    return this.#counts.byteLength + this.#seen.byteLength
  }

  add(column: Column | null, rows: GroupedRows): void {
    this.#counts = this.#parts.space.grown(this.#counts, 2 * rows.groups)
    this.#parts.loops.countRows(this.#counts, column === null ? null : column.validity, rows)
  }

  merge([column]: readonly Column[], rows: GroupedRows): void {
    assert(column?.kind === 'int64', 'a column of counts')
    const { space, loops } = this.#parts
    this.#counts = space.grown(this.#counts, 2 * rows.groups)
    this.#seen = space.grown(this.#seen, rows.groups)
    const fits = loops.sumIntegers(this.#counts, this.#seen, { values: column.values, validity: null, rows })
    assert(fits, 'nobody has counted so far')
  }

  columns(groups: Int32Array): readonly Column[] {
    const values = takePairs(this.#counts, groups, 0, 2)
    return [{ kind: 'int64', length: groups.length, validity: null, values }]
  }
}
