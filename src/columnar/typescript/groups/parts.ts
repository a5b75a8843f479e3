import type { BinaryColumn } from '../../column.ts'
import type { ValueDictionary } from '../../value-dictionary.ts'
import { valueDictionary } from '../value-dictionary.ts'
import { type GroupLoops, typescriptLoops } from './loops.ts'
import { type GroupSpace, HeapSpace } from './space.ts'

/** What one group table is made of: its inner loops, with the memory that they work in. */
export interface GroupParts {
  readonly space: GroupSpace
  readonly loops: GroupLoops
  /** Numbers for the texts of a key column: as many as there are. */
  dictionary(kind: BinaryColumn['kind']): ValueDictionary
}

/** The reference. */
export const typescriptParts = (): GroupParts => ({
  space: new HeapSpace(),
  loops: typescriptLoops,
  dictionary: kind => valueDictionary(kind, Number.POSITIVE_INFINITY),
})
