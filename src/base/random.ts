/**
 * Chance as the product sees it: handed in, so that a simulation can seed it.
 */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  /** A string of 128 random bits in hexadecimal, to tell one's own writes from those of others. */
  nonce(): string
}

/**
 * SplitMix32 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014), reduced to 32 bits.
 * Deterministic by `seed`; not for secrets.
 */
export const seededRandom = (seed: number): Random => {
  let state = seed | 0
  const nextUint32 = (): number => {
    state = (state + 0x9e3779b9) | 0
    let mixed = state ^ (state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }
  return {
    next: () => nextUint32() / 0x1_0000_0000,
    nonce: () => Array.from({ length: 4 }, () => nextUint32().toString(16).padStart(8, '0')).join(''),
  }
}
