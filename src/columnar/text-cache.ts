const FIRST_SLOTS = 16
const MAX_SLOTS = 512
/** Longer texts are decoded each time: comparing them costs as much. */
const MAX_CACHED_BYTES = 64

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * Decodes UTF-8 that repeats (countries, kinds, devices) once per distinct value: a direct-mapped cache by hash of the
 * bytes, compared byte by byte. It costs nothing before the first text, begins small, and is bounded: 512 texts of at most
 * 64 bytes.
 */
export class TextCache {
  #slots = 0
  #misses = 0
  #texts: (string | undefined)[] = []
  #bytes = new Uint8Array(0)
  #lengths = new Int32Array(0)

  /** The text in bytes[start, end). */
  decode(bytes: Uint8Array, start: number, end: number): string {
    const length = end - start
    if (length === 0) return ''
    if (length > MAX_CACHED_BYTES) return decoder.decode(bytes.subarray(start, end))
    const slot = hash(bytes, start, end) & (this.#slots - 1)
    const known = this.#texts[slot]
    if (known !== undefined && this.#holds(slot, bytes, start, length)) return known
    return this.#learn(slot, bytes, start, end)
  }

  #holds(slot: number, bytes: Uint8Array, start: number, length: number): boolean {
    if (this.#lengths[slot] !== length) return false
    const base = slot * MAX_CACHED_BYTES
    for (let at = 0; at < length; at += 1) if (this.#bytes[base + at] !== bytes[start + at]) return false
    return true
  }

  #learn(slot: number, bytes: Uint8Array, start: number, end: number): string {
    const text = decoder.decode(bytes.subarray(start, end))
    this.#misses += 1
    if (this.#misses > this.#slots && this.#slots < MAX_SLOTS) {
      this.#resize(this.#slots === 0 ? FIRST_SLOTS : MAX_SLOTS)
      return text
    }
    const base = slot * MAX_CACHED_BYTES
    for (let at = start; at < end; at += 1) this.#bytes[base + at - start] = bytes[at] as number
    this.#lengths[slot] = end - start
    this.#texts[slot] = text
    return text
  }

  /** Begins anew with more slots; what was known is soon known again. */
  #resize(slots: number): void {
    this.#slots = slots
    this.#texts = Array.from<string | undefined>({ length: slots })
    this.#bytes = new Uint8Array(slots * MAX_CACHED_BYTES)
    this.#lengths = new Int32Array(slots)
  }
}

/** FNV-1a (Fowler, Noll, Vo), 32 bits, mixed once more so that the low bits depend on all. */
const hash = (bytes: Uint8Array, start: number, end: number): number => {
  let state = 0x811c9dc5
  for (let at = start; at < end; at += 1) state = Math.imul(state ^ (bytes[at] as number), 0x01000193)
  return (state ^ (state >>> 15)) >>> 0
}
