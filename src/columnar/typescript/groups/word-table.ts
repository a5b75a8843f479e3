import type { WordTableArrays } from './loops.ts'
import type { GroupParts } from './parts.ts'

const FIRST_GROUPS = 128

/**
 * A hash table whose keys are a fixed number of 32-bit words: every group key comes down to that, so that hashing and
 * comparing are tight loops over integers. Groups are numbered in the order of appearance.
 */
export class WordTable implements WordTableArrays {
  readonly width: number
  count = 0
  slots = new Int32Array(0)
  hashes = new Int32Array(0)
  /** Key words of group g: [g * width, (g + 1) * width). */
  words = new Int32Array(0)
  /** 1 for each group that was assigned since somebody cleared it. */
  touched = new Uint8Array(0)
  readonly #parts: GroupParts

  constructor(width: number, parts: GroupParts) {
    this.width = width
    this.#parts = parts
  }

  get byteSize(): number {
    return this.slots.byteLength + this.hashes.byteLength + this.words.byteLength + this.touched.byteLength
  }

  /** Finds or makes the group of each key; `keys` holds `rows` times `width` words. Writes group numbers to `groupOf`. */
  assign(keys: Int32Array, rows: number, groupOf: Int32Array): void {
    for (let row = 0; row < rows; ) {
      row = this.#parts.loops.assignGroups(this, keys, row, rows, groupOf)
      // room for few at a time: a batch of repeated keys must not blow the table up
      if (row < rows) this.#grow()
    }
  }

  #grow(): void {
    const { space } = this.#parts
    const groups = Math.max(FIRST_GROUPS, this.hashes.length * 2)
    this.hashes = space.grown(this.hashes, groups)
    this.words = space.grown(this.words, groups * Math.max(1, this.width))
    this.touched = space.grown(this.touched, groups)
    const slots = space.grown(this.slots, groups * 2)
    slots.fill(0)
    const mask = slots.length - 1
    for (let group = 0; group < this.count; group += 1) {
      let slot = (this.hashes[group] as number) & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = group + 1
    }
    this.slots = slots
  }
}
