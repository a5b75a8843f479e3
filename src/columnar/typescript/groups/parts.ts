import { CountAccumulator } from './count.ts'
import { type PackWords, packWords } from './key-words.ts'
import { type GroupSpace, HeapSpace } from './space.ts'
import { FloatSum, IntegerSum } from './sum.ts'
import { WordTable } from './word-table.ts'

/** The inner loops of one group table, with the memory that they work in. */
export interface GroupParts {
  readonly space: GroupSpace
  readonly packWords: PackWords
  wordTable(width: number): WordTable
  count(): CountAccumulator
  floatSum(): FloatSum
  /** @param name Of the column, for messages. */
  integerSum(name: string): IntegerSum
}

/** The reference. */
export const typescriptParts = (space: GroupSpace = new HeapSpace()): GroupParts => ({
  space,
  packWords,
  wordTable: width => new WordTable(width, space),
  count: () => new CountAccumulator(space),
  floatSum: () => new FloatSum(space),
  integerSum: name => new IntegerSum(space, name),
})
