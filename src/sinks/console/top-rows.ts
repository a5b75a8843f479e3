import { present } from '../../base/assert.ts'
import { utf8Text } from '../../base/text.ts'
import { type Column, isValid } from '../../columnar/column.ts'
import type { ColumnBatch } from '../../columnar/column-batch.ts'
import { fieldIndex } from '../../columnar/schema.ts'

/** One row of one batch. */
export interface RowPlace {
  readonly batch: ColumnBatch
  readonly row: number
}

type SortValue = number | bigint | string | null

/**
 * At most `limit` rows: the first that came, or those with the greatest values of a column (nulls last, equal values in
 * order of arrival). Holds no more than `limit` of them at a time.
 */
export const topRows = (
  batches: readonly ColumnBatch[],
  limit: number,
  orderBy: string | null,
): readonly RowPlace[] => {
  const best: (RowPlace & { readonly value: SortValue })[] = []
  for (const batch of batches) {
    const valueOf = sortValues(batch, orderBy)
    const count = batch.selection?.length ?? batch.length
    for (let i = 0; i < count; i++) {
      if (best.length >= limit && valueOf === null) return best
      const row = batch.selection === null ? i : (batch.selection[i] as number)
      const value = valueOf === null ? null : valueOf(row)
      const last = best[best.length - 1]
      if (best.length >= limit && last !== undefined && !isGreater(value, last.value)) continue
      best.splice(placeOf(value, best), 0, { batch, row, value })
      if (best.length > limit) best.pop()
    }
  }
  return best
}

/** Behind all values that are as great. */
const placeOf = (value: SortValue, best: readonly { readonly value: SortValue }[]): number => {
  let low = 0
  let high = best.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (isGreater(value, best[middle]?.value ?? null)) high = middle
    else low = middle + 1
  }
  return low
}

const isGreater = (a: SortValue, b: SortValue): boolean => {
  if (a === null || b === null) return a !== null
  return a > b
}

const sortValues = (batch: ColumnBatch, orderBy: string | null): ((row: number) => SortValue) | null => {
  if (orderBy === null) return null
  const column = present(batch.columns[fieldIndex(batch.schema, orderBy)], `column ${orderBy}`)
  return row => (isValid(column, row) ? sortValue(column, row) : null)
}

const sortValue = (column: Column, row: number): SortValue => {
  switch (column.kind) {
    case 'list':
      return (column.offsets[row + 1] as number) - (column.offsets[row] as number)
    case 'bool':
      return ((column.values[row >> 3] as number) >> (row & 7)) & 1
    case 'string':
    case 'json':
      return utf8Text(column.bytes.subarray(column.offsets[row], column.offsets[row + 1]))
    case 'bytes':
      return latin1Text(column.bytes.subarray(column.offsets[row], column.offsets[row + 1]))
    default: {
      const value = column.values[row] as number | bigint
      return Number.isNaN(value) ? null : value
    }
  }
}

/** A string that compares as its bytes do. */
const latin1Text = (bytes: Uint8Array): string => {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}
