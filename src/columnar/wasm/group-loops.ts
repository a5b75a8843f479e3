import {
  type Direction,
  type GroupedRows,
  type GroupLoops,
  type NumberValues,
  typescriptLoops,
  type WordTableArrays,
} from '../typescript/groups/loops.ts'
import type { KernelSpace } from './group-space.ts'
import type { KernelFunctions } from './kernels-module.ts'

/** Words of `WordTable` in `assembly/groups.ts`. */
const TABLE_WORDS = 8
const COUNT_WORD = 1

/**
 * The inner loops of a group table in WebAssembly. Each works where all of its arrays lie in the kernels' memory, or a copy
 * of them finds room there; what does not is left to its twin, which works on the same arrays.
 */
export const wasmGroupLoops = (space: KernelSpace, functions: KernelFunctions): GroupLoops =>
  new KernelLoops(space, functions)

const twin = typescriptLoops

class KernelLoops implements GroupLoops {
  readonly #space: KernelSpace
  readonly #functions: KernelFunctions

  constructor(space: KernelSpace, functions: KernelFunctions) {
    this.#space = space
    this.#functions = functions
  }

  packWords(
    values: Int32Array,
    words: 1 | 2,
    selection: Int32Array | null,
    rows: number,
    keys: Int32Array,
    at: number,
    stride: number,
  ): void {
    const [from, rowsAt, to] = [this.#placeOrNone(values), this.#placeOrNone(selection), this.#ownedAt(keys)]
    if (from < 0 || rowsAt < 0 || to < 0) twin.packWords(values, words, selection, rows, keys, at, stride)
    else this.#functions.packWords(from, words, rowsAt, rows, to + 4 * at, stride)
  }

  packNulls(
    validity: Uint8Array,
    words: number,
    selection: Int32Array | null,
    rows: number,
    keys: Int32Array,
    at: number,
    stride: number,
  ): void {
    const [bits, rowsAt, to] = [this.#placeOrNone(validity), this.#placeOrNone(selection), this.#ownedAt(keys)]
    if (bits < 0 || rowsAt < 0 || to < 0) twin.packNulls(validity, words, selection, rows, keys, at, stride)
    else this.#functions.packNulls(bits, words, rowsAt, rows, to + 4 * at, stride)
  }

  assignGroups(table: WordTableArrays, keys: Int32Array, row: number, rows: number, groupOf: Int32Array): number {
    const arrays = [table.slots, table.hashes, table.words, table.touched]
    const addresses = arrays.map(each => this.#ownedAt(each))
    const [keysAt, groupOfAt] = [this.#ownedAt(keys), this.#ownedAt(groupOf)]
    const header = this.#space.take(TABLE_WORDS)
    const at = this.#ownedAt(header)
    if ([...addresses, keysAt, groupOfAt, at].includes(-1)) return twin.assignGroups(table, keys, row, rows, groupOf)
    header.set([table.width, table.count, table.hashes.length, table.slots.length - 1, ...addresses])
    const assigned = this.#functions.assignGroups(at, keysAt, row, rows, groupOfAt)
    table.count = header[COUNT_WORD] as number
    return assigned
  }

  countRows(counts: Int32Array, validity: Validity, rows: GroupedRows): void {
    const [to, at] = [this.#ownedAt(counts), this.#placed(null, validity, rows)]
    if (at === null || to < 0) twin.countRows(counts, validity, rows)
    else this.#functions.countRows(to, at.validity, at.selection, at.groupOf, rows.count)
  }

  sumDoubles(sums: Float64Array, seen: Uint8Array, values: NumberValues, validity: Validity, rows: GroupedRows): void {
    const [to, seenAt, at] = [this.#ownedAt(sums), this.#ownedAt(seen), this.#placed(values, validity, rows)]
    if (at === null || to < 0 || seenAt < 0) twin.sumDoubles(sums, seen, values, validity, rows)
    else
      this.#functions.sumDoubles(
        to,
        seenAt,
        at.values,
        kindOf(values),
        at.validity,
        at.selection,
        at.groupOf,
        rows.count,
      )
  }

  sumIntegers(
    sums: Int32Array,
    seen: Uint8Array,
    values: Int32Array | BigInt64Array,
    validity: Validity,
    rows: GroupedRows,
  ): boolean {
    const [to, seenAt, at] = [this.#ownedAt(sums), this.#ownedAt(seen), this.#placed(values, validity, rows)]
    if (at === null || to < 0 || seenAt < 0) return twin.sumIntegers(sums, seen, values, validity, rows)
    const { validity: bits, selection, groupOf } = at
    return (
      this.#functions.sumIntegers(to, seenAt, at.values, kindOf(values), bits, selection, groupOf, rows.count) !== 0
    )
  }

  extremeDoubles(
    extremes: Float64Array,
    seen: Uint8Array,
    direction: Direction,
    values: NumberValues,
    validity: Validity,
    rows: GroupedRows,
  ): void {
    const [to, seenAt, at] = [this.#ownedAt(extremes), this.#ownedAt(seen), this.#placed(values, validity, rows)]
    if (at === null || to < 0 || seenAt < 0) {
      twin.extremeDoubles(extremes, seen, direction, values, validity, rows)
      return
    }
    const { validity: bits, selection, groupOf } = at
    const kind = kindOf(values)
    this.#functions.extremeDoubles(to, seenAt, direction, at.values, kind, bits, selection, groupOf, rows.count)
  }

  extremeLongs(
    extremes: Int32Array,
    seen: Uint8Array,
    direction: Direction,
    values: BigInt64Array,
    validity: Validity,
    rows: GroupedRows,
  ): void {
    const [to, seenAt, at] = [this.#ownedAt(extremes), this.#ownedAt(seen), this.#placed(values, validity, rows)]
    if (at === null || to < 0 || seenAt < 0) {
      twin.extremeLongs(extremes, seen, direction, values, validity, rows)
      return
    }
    const { validity: bits, selection, groupOf } = at
    this.#functions.extremeLongs(to, seenAt, direction, at.values, bits, selection, groupOf, rows.count)
  }

  #ownedAt(array: ArrayBufferView): number {
    return this.#space.memory.addressOf(array)
  }

  #placeOrNone(array: NumberValues | Uint8Array | null): number {
    return array === null ? 0 : this.#space.place(array)
  }

  /** Addresses of what a batch brings, or `null` where something found no room. */
  #placed(values: NumberValues | null, validity: Validity, rows: GroupedRows): Placed | null {
    const found = {
      values: this.#placeOrNone(values),
      validity: this.#placeOrNone(validity),
      selection: this.#placeOrNone(rows.selection),
      groupOf: this.#ownedAt(rows.groupOf),
    }
    return found.values < 0 || found.validity < 0 || found.selection < 0 || found.groupOf < 0 ? null : found
  }
}

type Validity = Uint8Array | null

interface Placed {
  readonly values: number
  readonly validity: number
  readonly selection: number
  readonly groupOf: number
}

/** `NumberKind` of `assembly/groups.ts`. */
const kindOf = (values: NumberValues): number => {
  if (values instanceof Float64Array) return 0
  if (values instanceof Float32Array) return 1
  return values instanceof Int32Array ? 2 : 3
}
