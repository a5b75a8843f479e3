/** Arrays that a group table works on. */
export type GroupArray = Int32Array | Float64Array | Uint8Array

/**
 * Where the arrays of one group table lie. They begin with zeros, and may be on the heap or in the memory of kernels: what
 * works on them asks where that makes a difference.
 */
export interface GroupSpace {
  /** The array itself, or a larger one (doubling) with the same beginning, if it holds less than `needed`. */
  grown<A extends GroupArray>(array: A, needed: number): A
  /** An array with unknown contents for the batch at hand: until `endBatch`. */
  take(words: number): Int32Array
  endBatch(): void
  /** Gives everything back. The table is not used any more. */
  dispose(): void
}

/** At least `needed` elements, doubling, keeping what is there. */
export const grown = <A extends GroupArray>(array: A, needed: number): A => {
  if (needed <= array.length) return array
  const larger = new (array.constructor as new (length: number) => A)(Math.max(needed, array.length * 2))
  larger.set(array)
  return larger
}

/** Arrays on the heap; those of a batch are used again for the next. */
export class HeapSpace implements GroupSpace {
  readonly #taken: Int32Array[] = []
  #next = 0

  grown<A extends GroupArray>(array: A, needed: number): A {
    return grown(array, needed)
  }

  take(words: number): Int32Array {
    const at = this.#next++
    const array = grown(this.#taken[at] ?? new Int32Array(0), words)
    this.#taken[at] = array
    return array
  }

  endBatch(): void {
    this.#next = 0
  }

  dispose(): void {
    this.#taken.length = 0
  }
}
