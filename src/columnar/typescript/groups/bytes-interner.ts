/** Gives each distinct byte string a small number, in the order of appearance. Grows as strings come. */
export class BytesInterner {
  #slots = new Int32Array(64)
  #hashes = new Int32Array(32)
  #offsets = new Int32Array(33)
  #bytes = new Uint8Array(512)
  #count = 0

  /** How many distinct strings there are. */
  get count(): number {
    return this.#count
  }

  get byteSize(): number {
    return this.#slots.byteLength + this.#hashes.byteLength + this.#offsets.byteLength + this.#bytes.byteLength
  }

  /** The number of source[start, end). */
  intern(source: Uint8Array, start: number, end: number): number {
    const hash = hashBytes(source, start, end)
    const mask = this.#slots.length - 1
    let slot = hash & mask
    for (;;) {
      const id = (this.#slots[slot] as number) - 1
      if (id === -1) return this.#add(slot, hash, source, start, end)
      if (this.#hashes[id] === hash && this.#equals(id, source, start, end)) return id
      slot = (slot + 1) & mask
    }
  }

  startOf(id: number): number {
    return this.#offsets[id] as number
  }

  endOf(id: number): number {
    return this.#offsets[id + 1] as number
  }

  /** All strings one after the other; positions by `startOf` and `endOf`. Changes identity when it grows. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  #equals(id: number, source: Uint8Array, start: number, end: number): boolean {
    const from = this.#offsets[id] as number
    if ((this.#offsets[id + 1] as number) - from !== end - start) return false
    const bytes = this.#bytes
    for (let at = start; at < end; at += 1) if (bytes[from + at - start] !== source[at]) return false
    return true
  }

  #add(slot: number, hash: number, source: Uint8Array, start: number, end: number): number {
    const id = this.#count
    if (id + 1 >= this.#hashes.length) this.#growStrings()
    const from = this.#offsets[id] as number
    const until = from + end - start
    if (until > this.#bytes.length) this.#growBytes(until)
    for (let at = start; at < end; at += 1) this.#bytes[from + at - start] = source[at] as number
    this.#hashes[id] = hash
    this.#offsets[id + 1] = until
    this.#slots[slot] = id + 1
    this.#count = id + 1
    if (this.#count * 2 > this.#slots.length) this.#growSlots()
    return id
  }

  #growStrings(): void {
    const hashes = new Int32Array(this.#hashes.length * 2)
    hashes.set(this.#hashes)
    this.#hashes = hashes
    const offsets = new Int32Array(hashes.length + 1)
    offsets.set(this.#offsets)
    this.#offsets = offsets
  }

  #growBytes(needed: number): void {
    const bytes = new Uint8Array(needed * 2)
    bytes.set(this.#bytes)
    this.#bytes = bytes
  }

  #growSlots(): void {
    const slots = new Int32Array(this.#slots.length * 2)
    const mask = slots.length - 1
    for (let id = 0; id < this.#count; id += 1) {
      let slot = (this.#hashes[id] as number) & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = id + 1
    }
    this.#slots = slots
  }
}

/** FNV-1a, finished with MurmurHash3's last mix so that the low bits are good for a table. */
const hashBytes = (source: Uint8Array, start: number, end: number): number => {
  let state = 0x811c9dc5
  for (let at = start; at < end; at += 1) state = Math.imul(state ^ (source[at] as number), 0x01000193)
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35)
  return state ^ (state >>> 16)
}
