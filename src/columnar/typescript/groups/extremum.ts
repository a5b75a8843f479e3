import { assert } from '../../../base/assert.ts'
import type { Column } from '../../column.ts'
import { type Accumulator, takeGroups, takePairs, validityOf } from './accumulator.ts'
import type { Direction, GroupedRows } from './loops.ts'
import type { GroupParts } from './parts.ts'
import { numbersOf } from './sum.ts'

/** min and max of int32, date, float32 and float64. */
export class NumberExtremum implements Accumulator {
  readonly #parts: GroupParts
  readonly #kind: 'int32' | 'date' | 'float32' | 'float64'
  readonly #direction: Direction
  #extremes = new Float64Array(0)
  #seen = new Uint8Array(0)

  constructor(parts: GroupParts, kind: 'int32' | 'date' | 'float32' | 'float64', direction: Direction) {
    this.#parts = parts
    this.#kind = kind
    this.#direction = direction
  }

  get byteSize(): number {
    return this.#extremes.byteLength + this.#seen.byteLength
  }

  add(column: Column | null, rows: GroupedRows): void {
    const { space, loops } = this.#parts
    this.#extremes = space.grown(this.#extremes, rows.groups)
    this.#seen = space.grown(this.#seen, rows.groups)
    const numbers = { values: numbersOf(column), validity: column?.validity ?? null, rows }
    loops.extremeDoubles(this.#extremes, this.#seen, this.#direction, numbers)
  }

  merge([column]: readonly Column[], rows: GroupedRows): void {
    this.add(column ?? null, rows)
  }

  columns(groups: Int32Array): readonly Column[] {
    const { length } = groups
    const base = { length, validity: validityOf(this.#seen, groups) }
    const values = this.#extremes
    switch (this.#kind) {
      case 'int32':
      case 'date':
        return [{ ...base, kind: this.#kind, values: takeGroups(new Int32Array(length), values, groups) }]
      case 'float32':
        return [{ ...base, kind: this.#kind, values: takeGroups(new Float32Array(length), values, groups) }]
      case 'float64':
        return [{ ...base, kind: this.#kind, values: takeGroups(new Float64Array(length), values, groups) }]
    }
  }
}

/** min and max of int64 and timestamp, exact beyond 2^53. */
export class LongExtremum implements Accumulator {
  readonly #parts: GroupParts
  readonly #kind: 'int64' | 'timestamp'
  readonly #direction: Direction
  #extremes = new Int32Array(0)
  #seen = new Uint8Array(0)

  constructor(parts: GroupParts, kind: 'int64' | 'timestamp', direction: Direction) {
    this.#parts = parts
    this.#kind = kind
    this.#direction = direction
  }

  get byteSize(): number {
    return this.#extremes.byteLength + this.#seen.byteLength
  }

  add(column: Column | null, rows: GroupedRows): void {
    assert(column?.kind === 'int64' || column?.kind === 'timestamp', 'a 64-bit column')
    const { space, loops } = this.#parts
    this.#extremes = space.grown(this.#extremes, 2 * rows.groups)
    this.#seen = space.grown(this.#seen, rows.groups)
    const { values, validity } = column
    loops.extremeLongs(this.#extremes, this.#seen, this.#direction, { values, validity, rows })
  }

  merge([column]: readonly Column[], rows: GroupedRows): void {
    this.add(column ?? null, rows)
  }

  columns(groups: Int32Array): readonly Column[] {
    const values = takePairs(this.#extremes, groups, 0, 2)
    return [{ kind: this.#kind, length: groups.length, validity: validityOf(this.#seen, groups), values }]
  }
}
