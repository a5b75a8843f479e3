import { assert } from '../../../base/assert.ts'
import type { Column } from '../../column.ts'
import { type Accumulator, validityOf } from './accumulator.ts'
import { type Direction, type GroupedRows, isNull } from './loops.ts'
import { grown } from './space.ts'

/**
 * min and max of strings, by their UTF-8 bytes (which is the order of code points). The values of all groups lie in one
 * arena; a value that replaces a shorter one moves to its end, and what it left is reclaimed when the arena is full.
 */
export class TextExtremum implements Accumulator {
  readonly #direction: Direction
  #starts = new Int32Array(64)
  #lengths = new Int32Array(64)
  #seen = new Uint8Array(64)
  #arena = new Uint8Array(512)
  /** Bytes of the arena that were given out, and how many of them still count. */
  #used = 0
  #live = 0

  constructor(direction: Direction) {
    this.#direction = direction
  }

  get byteSize(): number {
    return this.#starts.byteLength + this.#lengths.byteLength + this.#seen.byteLength + this.#arena.byteLength
  }

  add(column: Column | null, { selection, groupOf, count, groups }: GroupedRows): void {
    assert(column !== null && 'bytes' in column, 'min() and max() of strings have a string column')
    this.#starts = grown(this.#starts, groups)
    this.#lengths = grown(this.#lengths, groups)
    this.#seen = grown(this.#seen, groups)
    const { validity, offsets, bytes } = column
    for (let i = 0; i < count; i += 1) {
      const row = selection === null ? i : (selection[i] as number)
      if (validity !== null && isNull(validity, row)) continue
      const group = groupOf[i] as number
      const from = offsets[row] as number
      const until = offsets[row + 1] as number
      if (this.#seen[group] === 1 && this.#compare(group, bytes, from, until) * this.#direction <= 0) continue
      this.#hold(group, bytes, from, until)
    }
  }

  merge([column]: readonly Column[], rows: GroupedRows): void {
    this.add(column ?? null, rows)
  }

  columns(groups: Int32Array): readonly Column[] {
    const { length } = groups
    const offsets = new Int32Array(length + 1)
    for (let i = 0; i < length; i += 1) {
      offsets[i + 1] = (offsets[i] as number) + (this.#lengths[groups[i] as number] as number)
    }
    const bytes = new Uint8Array(offsets[length] as number)
    for (let i = 0; i < length; i += 1) this.#copyValue(groups[i] as number, bytes, offsets[i] as number)
    return [{ kind: 'string', length, validity: validityOf(this.#seen, groups), offsets, bytes }]
  }

  #copyValue(group: number, target: Uint8Array, to: number): void {
    const from = this.#starts[group] as number
    const length = this.#lengths[group] as number
    const arena = this.#arena
    for (let at = 0; at < length; at += 1) target[to + at] = arena[from + at] as number
  }

  /** Below 0, 0 or above 0: bytes[from, until) against what the group holds. */
  #compare(group: number, bytes: Uint8Array, from: number, until: number): number {
    const start = this.#starts[group] as number
    const length = this.#lengths[group] as number
    const common = Math.min(until - from, length)
    const arena = this.#arena
    for (let at = 0; at < common; at += 1) {
      const difference = (bytes[from + at] as number) - (arena[start + at] as number)
      if (difference !== 0) return difference
    }
    return until - from - length
  }

  #hold(group: number, bytes: Uint8Array, from: number, until: number): void {
    const length = until - from
    this.#live -= this.#lengths[group] as number
    if (length > (this.#lengths[group] as number)) {
      this.#lengths[group] = 0
      this.#starts[group] = this.#allocate(length)
    }
    const start = this.#starts[group] as number
    const arena = this.#arena
    for (let at = 0; at < length; at += 1) arena[start + at] = bytes[from + at] as number
    this.#live += length
    this.#lengths[group] = length
    this.#seen[group] = 1
  }

  /** Position of `length` free bytes at the end of the arena. */
  #allocate(length: number): number {
    if (this.#used + length > this.#arena.length) this.#makeRoom(length)
    const start = this.#used
    this.#used = start + length
    return start
  }

  /** Moves what counts to a new arena, at most half full afterwards: each byte moved has paid for it by coming in. */
  #makeRoom(length: number): void {
    const arena = new Uint8Array(Math.max(this.#arena.length, 2 * (this.#live + length)))
    let used = 0
    for (let group = 0; group < this.#lengths.length; group += 1) {
      this.#copyValue(group, arena, used)
      this.#starts[group] = used
      used += this.#lengths[group] as number
    }
    this.#arena = arena
    this.#used = used
  }
}
