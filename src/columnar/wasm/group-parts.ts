import type { Column } from '../column.ts'
import { wordsOf } from '../typescript/groups/accumulator.ts'
import { CountAccumulator } from '../typescript/groups/count.ts'
import { packWords } from '../typescript/groups/key-words.ts'
import type { GroupParts } from '../typescript/groups/parts.ts'
import { FloatSum, IntegerSum, numbersOf } from '../typescript/groups/sum.ts'
import { WordTable } from '../typescript/groups/word-table.ts'
import { KernelSpace } from './group-space.ts'
import type { KernelFunctions, KernelInstance } from './kernels-module.ts'

/**
 * The inner loops of a group table in WebAssembly. Each works where all of its arrays lie in the kernels' memory, and
 * leaves the batch to its twin, which works on the same arrays, where some did not find room.
 */
export const wasmGroupParts = ({ memory, functions }: KernelInstance): GroupParts => {
  const space = new KernelSpace(memory)
  return {
    space,
    packWords(values, words, selection, rows, keys, at, stride) {
      const from = space.place(values, values.length)
      const rowsAt = placeOrNone(space, selection, rows)
      const to = memory.addressOf(keys)
      if (from < 0 || rowsAt < 0 || to < 0) packWords(values, words, selection, rows, keys, at, stride)
      else functions.packWords(from, words, rowsAt, rows, to + 4 * at, stride)
    },
    wordTable: width => new KernelWordTable(width, space, functions),
    count: () => new KernelCount(space, functions),
    floatSum: () => new KernelFloatSum(space, functions),
    integerSum: name => new KernelIntegerSum(space, functions, name),
  }
}

const placeOrNone = (space: KernelSpace, array: Int32Array | Uint8Array | null, length: number): number =>
  array === null ? 0 : space.place(array, length)

/** Addresses of what a batch brings, or `null` where something is not in the memory. */
interface Placed {
  readonly validity: number
  readonly selection: number
  readonly groupOf: number
}

const placed = (
  space: KernelSpace,
  column: Column | null | undefined,
  selection: Int32Array | null,
  groupOf: Int32Array,
  rows: number,
): Placed | null => {
  const bits = column?.validity ?? null
  const found = {
    validity: placeOrNone(space, bits, bits?.length ?? 0),
    selection: placeOrNone(space, selection, rows),
    groupOf: space.memory.addressOf(groupOf),
  }
  return found.validity < 0 || found.selection < 0 || found.groupOf < 0 ? null : found
}

const TABLE_WORDS = 8

class KernelWordTable extends WordTable {
  readonly #kernelSpace: KernelSpace
  readonly #functions: KernelFunctions

  constructor(width: number, space: KernelSpace, functions: KernelFunctions) {
    super(width, space)
    this.#kernelSpace = space
    this.#functions = functions
  }

  protected override assignSome(keys: Int32Array, row: number, rows: number, groupOf: Int32Array): number {
    const { memory } = this.#kernelSpace
    const arrays = [this.slots, this.hashes, this.words, this.touched, keys, groupOf]
    const [slots, hashes, words, touched, keysAt = -1, groupOfAt = -1] = arrays.map(each => memory.addressOf(each))
    const table = this.#kernelSpace.take(TABLE_WORDS)
    const at = memory.addressOf(table)
    if ([slots, hashes, words, touched, keysAt, groupOfAt, at].includes(-1)) {
      return super.assignSome(keys, row, rows, groupOf)
    }
    const numbers = [this.width, this.count, this.hashes.length, this.slots.length - 1, slots, hashes, words, touched]
    table.set(numbers as number[])
    const assigned = this.#functions.assignGroups(at, keysAt, row, rows, groupOfAt)
    this.count = table[1] as number
    return assigned
  }
}

class KernelCount extends CountAccumulator {
  readonly #kernelSpace: KernelSpace
  readonly #functions: KernelFunctions

  constructor(space: KernelSpace, functions: KernelFunctions) {
    super(space)
    this.#kernelSpace = space
    this.#functions = functions
  }

  override add(
    column: Column | null,
    selection: Int32Array | null,
    groupOf: Int32Array,
    rows: number,
    groups: number,
  ): void {
    this.counts = this.space.grown(this.counts, groups)
    const counts = this.#kernelSpace.memory.addressOf(this.counts)
    const at = placed(this.#kernelSpace, column, selection, groupOf, rows)
    if (at === null || counts < 0) super.add(column, selection, groupOf, rows, groups)
    else this.#functions.countByGroup(counts, at.validity, at.selection, at.groupOf, rows)
  }
}

class KernelFloatSum extends FloatSum {
  readonly #kernelSpace: KernelSpace
  readonly #functions: KernelFunctions

  constructor(space: KernelSpace, functions: KernelFunctions) {
    super(space)
    this.#kernelSpace = space
    this.#functions = functions
  }

  override add(
    column: Column | null,
    selection: Int32Array | null,
    groupOf: Int32Array,
    rows: number,
    groups: number,
  ): void {
    this.reserve(groups)
    const { memory } = this.#kernelSpace
    const [sums, seen] = [memory.addressOf(this.sums), memory.addressOf(this.seen)]
    const at = placed(this.#kernelSpace, column, selection, groupOf, rows)
    const numbers = column === null ? null : numbersOf(column)
    const values = numbers instanceof Float64Array ? this.#kernelSpace.place(numbers, numbers.length) : -1
    if (at === null || sums < 0 || seen < 0 || values < 0) super.add(column, selection, groupOf, rows, groups)
    else this.#functions.sumDoubles(sums, seen, values, at.validity, at.selection, at.groupOf, rows)
  }
}

class KernelIntegerSum extends IntegerSum {
  readonly #kernelSpace: KernelSpace
  readonly #functions: KernelFunctions

  constructor(space: KernelSpace, functions: KernelFunctions, name: string) {
    super(space, name)
    this.#kernelSpace = space
    this.#functions = functions
  }

  protected override addValues(column: Column, selection: Int32Array | null, groupOf: Int32Array, rows: number): void {
    const space = this.#kernelSpace
    const isInt = column.kind === 'int32'
    const words = isInt ? column.values : wordsOf(column)
    const values = space.place(words, words.length)
    const [low = -1, high = -1, seen = -1] = [this.low, this.high, this.seen].map(each => space.memory.addressOf(each))
    const at = placed(space, column, selection, groupOf, rows)
    if (at === null || values < 0 || low < 0 || high < 0 || seen < 0) {
      super.addValues(column, selection, groupOf, rows)
      return
    }
    const { validity, selection: rowsAt, groupOf: groupsAt } = at
    const width = isInt ? 1 : 2
    const fits = this.#functions.sumIntegers(low, high, seen, values, width, validity, rowsAt, groupsAt, rows)
    if (fits === 0) throw this.overflow()
  }
}
