import type { BinaryColumn, ScalarColumn } from '../column.ts'
import type { GroupParts } from '../typescript/groups/parts.ts'
import { valueDictionary } from '../typescript/value-dictionary.ts'
import type { ValueDictionary } from '../value-dictionary.ts'
import { wasmGroupLoops } from './group-loops.ts'
import { KernelSpace } from './group-space.ts'
import type { KernelInstance } from './kernels-module.ts'
import { wasmDictionary } from './value-dictionary.ts'

/** What a group table in the kernels' memory is made of. */
export const wasmGroupParts = (kernels: KernelInstance): GroupParts => {
  const space = new KernelSpace(kernels.memory)
  return {
    space,
    loops: wasmGroupLoops(space, kernels.functions),
    dictionary: kind => new RoomyDictionary(kernels, kind),
  }
}

/** More than there is memory for. */
const NO_LIMIT = 2 ** 30

/** A dictionary in the kernels' memory as long as that has room, and then on the heap, with the same numbers. */
class RoomyDictionary implements ValueDictionary {
  readonly #kind: BinaryColumn['kind']
  #inner: ValueDictionary

  constructor(kernels: KernelInstance, kind: BinaryColumn['kind']) {
    this.#kind = kind
    this.#inner = wasmDictionary(kernels, kind, NO_LIMIT) ?? valueDictionary(kind, Number.POSITIVE_INFINITY)
  }

  get size(): number {
    return this.#inner.size
  }

  get byteSize(): number {
    return this.#inner.byteSize
  }

  numbersOf(values: ScalarColumn): Int32Array | null {
    const numbers = this.#inner.numbersOf(values)
    if (numbers !== null) return numbers
    const roomy = valueDictionary(this.#kind, Number.POSITIVE_INFINITY)
    roomy.numbersOf(this.#inner.values())
    this.#inner.free()
    this.#inner = roomy
    return roomy.numbersOf(values)
  }

  values(): ScalarColumn {
    return this.#inner.values()
  }

  free(): void {
    this.#inner.free()
  }
}
