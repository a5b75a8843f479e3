import {
  type Direction,
  type GroupedColumn,
  type GroupedRows,
  type GroupLoops,
  type NumberValues,
  typescriptLoops,
  type WordTableArrays,
} from '../typescript/groups/loops.ts'
import type { KernelSpace } from './group-space.ts'
import type { GroupedColumnPlace, KernelFunctions } from './kernels-module.ts'

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

  countRows(counts: Int32Array, validity: Uint8Array | null, rows: GroupedRows): void {
    const [to, at] = [this.#ownedAt(counts), this.#placed({ values: null, validity, rows })]
    if (at === null || to < 0) {
      twin.countRows(counts, validity, rows)
      return
    }
    const [, ...withoutValues] = at
    this.#functions.countRows(to, ...withoutValues)
  }

  sumDoubles(sums: Float64Array, seen: Uint8Array, column: GroupedColumn): void {
    const [to, seenAt, at] = [this.#ownedAt(sums), this.#ownedAt(seen), this.#placed(column)]
    if (at === null || to < 0 || seenAt < 0) twin.sumDoubles(sums, seen, column)
    else this.#functions.sumDoubles(to, seenAt, kindOf(column.values), ...at)
  }

  sumIntegers(sums: Int32Array, seen: Uint8Array, column: GroupedColumn<Int32Array | BigInt64Array>): boolean {
    const [to, seenAt, at] = [this.#ownedAt(sums), this.#ownedAt(seen), this.#placed(column)]
    if (at === null || to < 0 || seenAt < 0) return twin.sumIntegers(sums, seen, column)
    return this.#functions.sumIntegers(to, seenAt, kindOf(column.values), ...at) !== 0
  }

  extremeDoubles(extremes: Float64Array, seen: Uint8Array, direction: Direction, column: GroupedColumn): void {
    const [to, seenAt, at] = [this.#ownedAt(extremes), this.#ownedAt(seen), this.#placed(column)]
    if (at === null || to < 0 || seenAt < 0) twin.extremeDoubles(extremes, seen, direction, column)
    else this.#functions.extremeDoubles(to, seenAt, direction, kindOf(column.values), ...at)
  }

  extremeLongs(
    extremes: Int32Array,
    seen: Uint8Array,
    direction: Direction,
    column: GroupedColumn<BigInt64Array>,
  ): void {
    const [to, seenAt, at] = [this.#ownedAt(extremes), this.#ownedAt(seen), this.#placed(column)]
    if (at === null || to < 0 || seenAt < 0) twin.extremeLongs(extremes, seen, direction, column)
    else this.#functions.extremeLongs(to, seenAt, direction, ...at)
  }

  #ownedAt(array: ArrayBufferView): number {
    return this.#space.memory.addressOf(array)
  }

  #placeOrNone(array: NumberValues | Uint8Array | null): number {
    return array === null ? 0 : this.#space.place(array)
  }

  /** Where a column lies, or `null` where something of it found no room. No values: the rows alone count. */
  #placed({ values, validity, rows }: Omit<GroupedColumn, 'values'> & { readonly values: NumberValues | null }) {
    const [valuesAt, validityAt] = [this.#placeOrNone(values), this.#placeOrNone(validity)]
    const [selection, groupOf] = [this.#placeOrNone(rows.selection), this.#ownedAt(rows.groupOf)]
    if (valuesAt < 0 || validityAt < 0 || selection < 0 || groupOf < 0) return null
    return [valuesAt, validityAt, selection, groupOf, rows.count] satisfies GroupedColumnPlace
  }
}

/** `NumberKind` of `assembly/groups.ts`. */
const kindOf = (values: NumberValues): number => {
  if (values instanceof Float64Array) return 0
  if (values instanceof Float32Array) return 1
  return values instanceof Int32Array ? 2 : 3
}
