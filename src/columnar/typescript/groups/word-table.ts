import type { GroupSpace } from './space.ts'

const FIRST_GROUPS = 128

/**
 * A hash table whose keys are a fixed number of 32-bit words: every group key comes down to that, so that hashing and
 * comparing are tight loops over integers. Groups are numbered in the order of appearance.
 */
export class WordTable {
  readonly width: number
  count = 0
  protected readonly space: GroupSpace
  /** Number of a group and 1, or 0 where a slot is free. */
  protected slots = new Int32Array(0)
  protected hashes = new Int32Array(0)
  #words = new Int32Array(0)
  #touched = new Uint8Array(0)

  constructor(width: number, space: GroupSpace) {
    this.width = width
    this.space = space
  }

  get byteSize(): number {
    return this.slots.byteLength + this.hashes.byteLength + this.#words.byteLength + this.#touched.byteLength
  }

  /** Key words of group g: [g * width, (g + 1) * width). Changes identity when the table grows. */
  get words(): Int32Array {
    return this.#words
  }

  /** 1 for each group that was assigned since somebody cleared it. Changes identity when the table grows. */
  get touched(): Uint8Array {
    return this.#touched
  }

  /** Finds or makes the group of each key; `keys` holds `rows` times `width` words. Writes group numbers to `groupOf`. */
  assign(keys: Int32Array, rows: number, groupOf: Int32Array): void {
    for (let row = 0; row < rows; ) {
      row = this.assignSome(keys, row, rows, groupOf)
      // room for few at a time: a batch of repeated keys must not blow the table up
      if (row < rows) this.#grow()
    }
  }

  /** As `assign` from number `row` on, until there is no room for another group. Answers how far it came. */
  protected assignSome(keys: Int32Array, row: number, rows: number, groupOf: Int32Array): number {
    const { width, slots, hashes } = this
    const touched = this.#touched
    const mask = slots.length - 1
    for (let at = row; at < rows; at += 1) {
      const hash = hashWords(keys, at * width, width)
      let slot = hash & mask
      let group = mask < 0 ? -1 : (slots[slot] as number) - 1
      while (group !== -1 && !this.#matches(group, hash, keys, at * width)) {
        slot = (slot + 1) & mask
        group = (slots[slot] as number) - 1
      }
      if (group === -1) {
        if (this.count === hashes.length) return at
        group = this.count
        this.count = group + 1
        hashes[group] = hash
        for (let word = 0; word < width; word += 1)
          this.#words[group * width + word] = keys[at * width + word] as number
        slots[slot] = group + 1
      }
      touched[group] = 1
      groupOf[at] = group
    }
    return rows
  }

  #matches(group: number, hash: number, keys: Int32Array, at: number): boolean {
    if (this.hashes[group] !== hash) return false
    const { width } = this
    const base = group * width
    const words = this.#words
    for (let word = 0; word < width; word += 1) if (words[base + word] !== keys[at + word]) return false
    return true
  }

  #grow(): void {
    const groups = Math.max(FIRST_GROUPS, this.hashes.length * 2)
    this.hashes = this.space.grown(this.hashes, groups)
    this.#words = this.space.grown(this.#words, groups * Math.max(1, this.width))
    this.#touched = this.space.grown(this.#touched, groups)
    const slots = this.space.grown(this.slots, groups * 2)
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

/** MurmurHash3 (Appleby, public domain), x86 32-bit variant over whole words. */
const hashWords = (words: Int32Array, at: number, width: number): number => {
  let state = 0
  for (let word = 0; word < width; word += 1) {
    let block = Math.imul(words[at + word] as number, 0xcc9e2d51)
    block = (block << 15) | (block >>> 17)
    state ^= Math.imul(block, 0x1b873593)
    state = (state << 13) | (state >>> 19)
    state = (Math.imul(state, 5) + 0xe6546b64) | 0
  }
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35)
  return state ^ (state >>> 16)
}
