import type { Column } from '../../column.ts'
import { type Accumulator, isNull, wordsOf } from './accumulator.ts'
import type { GroupSpace } from './space.ts'

/** Counts as doubles: exact up to 2^53 rows. */
export class CountAccumulator implements Accumulator {
  protected readonly space: GroupSpace
  protected counts = new Float64Array(0)

  constructor(space: GroupSpace) {
    this.space = space
  }

  get byteSize(): number {
    return this.counts.byteLength
  }

  add(column: Column | null, selection: Int32Array | null, groupOf: Int32Array, rows: number, groups: number): void {
    this.counts = this.space.grown(this.counts, groups)
    const { counts } = this
    const validity = column === null ? null : column.validity
    for (let i = 0; i < rows; i += 1) {
      if (validity !== null && isNull(validity, selection === null ? i : (selection[i] as number))) continue
      const group = groupOf[i] as number
      counts[group] = (counts[group] as number) + 1
    }
  }

  merge(
    [column]: readonly Column[],
    selection: Int32Array | null,
    groupOf: Int32Array,
    rows: number,
    groups: number,
  ): void {
    this.counts = this.space.grown(this.counts, groups)
    const { counts } = this
    const words = wordsOf(column)
    for (let i = 0; i < rows; i += 1) {
      const row = selection === null ? i : (selection[i] as number)
      const group = groupOf[i] as number
      const count = (words[2 * row + 1] as number) * 0x1_0000_0000 + ((words[2 * row] as number) >>> 0)
      counts[group] = (counts[group] as number) + count
    }
  }

  columns(groups: Int32Array): readonly Column[] {
    const words = new Int32Array(groups.length * 2)
    for (let i = 0; i < groups.length; i += 1) {
      const count = this.counts[groups[i] as number] as number
      words[2 * i] = count | 0
      words[2 * i + 1] = Math.floor(count / 0x1_0000_0000)
    }
    return [{ kind: 'int64', length: groups.length, validity: null, values: new BigInt64Array(words.buffer) }]
  }
}
