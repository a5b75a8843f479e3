/**
 * A hash table whose keys are a fixed number of 32-bit words: every group key comes down to that, so that hashing and
 * comparing are tight loops over integers. Groups are numbered in the order of appearance.
 */
export class WordTable {
  readonly width: number
  #slots = new Int32Array(256)
  #hashes = new Int32Array(128)
  #words: Int32Array
  #count = 0

  constructor(width: number) {
    this.width = width
    this.#words = new Int32Array(128 * Math.max(1, width))
  }

  get count(): number {
    return this.#count
  }

  get byteSize(): number {
    return this.#slots.byteLength + this.#hashes.byteLength + this.#words.byteLength
  }

  /** Key words of group g: [g * width, (g + 1) * width). Changes identity when the table grows. */
  get words(): Int32Array {
    return this.#words
  }

  /** Finds or makes the group of each key; `keys` holds `rows` times `width` words. Writes group numbers to `groups`. */
  assign(keys: Int32Array, rows: number, groups: Int32Array): void {
    this.#reserve(rows)
    const { width } = this
    let slots = this.#slots
    let mask = slots.length - 1
    for (let row = 0; row < rows; row += 1) {
      const at = row * width
      const hash = hashWords(keys, at, width)
      let slot = hash & mask
      let group = (slots[slot] as number) - 1
      while (group !== -1 && !this.#matches(group, hash, keys, at)) {
        slot = (slot + 1) & mask
        group = (slots[slot] as number) - 1
      }
      if (group === -1) {
        group = this.#add(slot, hash, keys, at)
        slots = this.#slots
        mask = slots.length - 1
      }
      groups[row] = group
    }
  }

  #matches(group: number, hash: number, keys: Int32Array, at: number): boolean {
    if (this.#hashes[group] !== hash) return false
    const { width } = this
    const base = group * width
    const words = this.#words
    for (let word = 0; word < width; word += 1) if (words[base + word] !== keys[at + word]) return false
    return true
  }

  #add(slot: number, hash: number, keys: Int32Array, at: number): number {
    const group = this.#count
    const { width } = this
    if (group === this.#hashes.length) this.#growGroups()
    this.#hashes[group] = hash
    for (let word = 0; word < width; word += 1) this.#words[group * width + word] = keys[at + word] as number
    this.#slots[slot] = group + 1
    this.#count = group + 1
    if (this.#count * 2 > this.#slots.length) this.#growSlots(this.#slots.length * 2)
    return group
  }

  /** Makes room ahead for at most a moderate number of new groups: a batch of repeated keys must not blow the table up. */
  #reserve(rows: number): void {
    const wanted = this.#count + Math.min(rows, 64)
    if (wanted * 2 > this.#slots.length) this.#growSlots(this.#slots.length * 2)
  }

  #growGroups(): void {
    const hashes = new Int32Array(this.#hashes.length * 2)
    hashes.set(this.#hashes)
    this.#hashes = hashes
    const words = new Int32Array(hashes.length * Math.max(1, this.width))
    words.set(this.#words)
    this.#words = words
  }

  #growSlots(size: number): void {
    const slots = new Int32Array(size)
    const mask = size - 1
    for (let group = 0; group < this.#count; group += 1) {
      let slot = (this.#hashes[group] as number) & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = group + 1
    }
    this.#slots = slots
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
