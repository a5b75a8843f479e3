import { type RowSet, rowSetSize } from '../row-set.ts'
import { bytesForBits, copyBits, getBit, putBit, setBits } from './bits.ts'
import { grownBytes } from './growing-memory.ts'

/** The validity bitmap of a growing column; it takes no memory until a column with a bitmap comes. */
export class ValidityAccumulator {
  private bitmap: Uint8Array | null = null
  private used = 0

  get byteSize(): number {
    return this.bitmap === null ? 0 : bytesForBits(this.used)
  }

  /** `length`: rows before these. */
  append(validity: Uint8Array | null, rows: RowSet, length: number): void {
    if (validity === null && this.bitmap === null) return
    const count = rowSetSize(rows)
    const grown = grownBytes(this.bitmap ?? new Uint8Array(0), bytesForBits(this.used), bytesForBits(length + count))
    if (this.used < length) setBits(grown, this.used, length - this.used)
    if (validity === null) setBits(grown, length, count)
    else if (rows.kind === 'range') copyBits(validity, rows.from, grown, length, count)
    else for (let i = 0; i < count; i++) putBit(grown, length + i, getBit(validity, rows.rows[i] as number))
    this.bitmap = grown
    this.used = length + count
  }

  /** `null` where all of the `length` rows are valid as far as is known. */
  view(length: number): Uint8Array | null {
    return this.bitmap === null ? null : this.bitmap.subarray(0, bytesForBits(length))
  }

  clear(): void {
    this.bitmap = null
    this.used = 0
  }
}
