import { MillraceError } from '../base/errors.ts'
import type { AggregateFunction, AggregateSpec } from './group-table.ts'
import type { ColumnType, Field, ScalarType } from './schema.ts'

const INTEGERS: ReadonlySet<ColumnType> = new Set<ScalarType>(['int32', 'int64'])
const NUMBERS: ReadonlySet<ColumnType> = new Set<ScalarType>(['int32', 'int64', 'float32', 'float64'])
const ORDERED: ReadonlySet<ColumnType> = new Set<ScalarType>([
  ...(NUMBERS as ReadonlySet<ScalarType>),
  'timestamp',
  'date',
  'string',
])

/**
 * Type of a finished aggregate over a column of type `input` (`null` where rows are counted).
 * @throws INVALID_PIPELINE where the function can't take the type
 */
export const aggregateResultType = (fn: AggregateFunction, input: ColumnType | null): ColumnType => {
  if (fn === 'count') return 'int64'
  const allowed = fn === 'sum' || fn === 'avg' ? NUMBERS : ORDERED
  if (input === null || !allowed.has(input)) {
    throw new MillraceError('INVALID_PIPELINE', `${fn}() can't take a column of type ${input ?? 'none'}`, {
      remedy: `Use it over a column of type ${[...allowed].join(', ')}.`,
    })
  }
  if (fn === 'avg') return 'float64'
  if (fn === 'sum') return INTEGERS.has(input) ? 'int64' : 'float64'
  return input
}

/**
 * Accumulator columns of one aggregate in a partial batch: `avg` needs a sum and a count, all others are their own
 * accumulator. `#` can't be mistaken for a user's column of the same batch, since aggregates have names of their own.
 */
export const partialFields = ({ fn, as, type }: AggregateSpec): readonly Field[] => {
  if (fn === 'count') return [{ name: as, type: 'int64', nullable: false }]
  if (fn !== 'avg') return [{ name: as, type, nullable: true }]
  return [
    { name: `${as}#sum`, type: 'float64', nullable: false },
    { name: `${as}#count`, type: 'int64', nullable: false },
  ]
}
