import { assert } from '../../base/assert.ts'
import { maxHybridBytes, putHybrid, putPackedHeader, putRun } from '../../columnar/bit-packing.ts'
import type { Column, ListColumn, ScalarColumn } from '../../columnar/column.ts'
import { takeColumn } from '../../columnar/gather.ts'
import { bytesForBits, countZeros, getBit } from './bits.ts'
import type { Leaf } from './parquet-types.ts'

/** Columns as Parquet holds them: values without nulls, and levels that say where nulls and lists were. */
export interface ShreddedColumn {
  /** Repetition levels (of lists), then definition levels (where something may be null), each behind its length. */
  readonly levels: Uint8Array
  /** Values, nulls among them, and empty lists. */
  readonly entries: number
  readonly nulls: number
  readonly values: ScalarColumn
}

const LENGTH_BYTES = 4
const NO_LEVELS = new Uint8Array(0)

/** @throws BUG where a required column holds a null */
export const shred = (leaf: Leaf, column: Column): ShreddedColumn => {
  if (column.kind === 'list') return shredList(leaf, column)
  const { length, validity } = column
  const nulls = validity === null ? 0 : countZeros(validity, length)
  requireValues(leaf, nulls)
  const values = validity === null || nulls === 0 ? withoutNulls(column) : presentValues(column, validity)
  const levels = leaf.field.nullable ? validityLevels(nulls === 0 ? null : validity, length) : NO_LEVELS
  return { levels, entries: length, nulls, values }
}

const requireValues = ({ field }: Leaf, nulls: number): void =>
  assert(nulls === 0 || field.nullable, `the required column ${field.name} holds no null`)

const withoutNulls = (column: ScalarColumn): ScalarColumn =>
  column.validity === null ? column : { ...column, validity: null }

const presentValues = (column: ScalarColumn, validity: Uint8Array): ScalarColumn => {
  const rows = new Int32Array(column.length)
  let count = 0
  for (let row = 0; row < column.length; row++) if (getBit(validity, row) === 1) rows[count++] = row
  return withoutNulls(takeColumn(column, rows.subarray(0, count)) as ScalarColumn)
}

/** A bitmap is a bit-packed run of levels 0 and 1 already; no null costs a run of a few bytes. */
const validityLevels = (validity: Uint8Array | null, length: number): Uint8Array => {
  const levels = new Uint8Array(LENGTH_BYTES + maxHybridBytes(length, 1))
  if (validity === null) return framed(levels, putRun(1, length, 1, levels, LENGTH_BYTES))
  const start = putPackedHeader(length, levels, LENGTH_BYTES)
  const bytes = bytesForBits(length)
  levels.set(validity.subarray(0, bytes), start)
  const used = length & 7
  const last = start + bytes - 1
  if (used !== 0) levels[last] = (levels[last] as number) & ((1 << used) - 1)
  return framed(levels, start + bytes)
}

const framed = (levels: Uint8Array, end: number): Uint8Array => {
  new DataView(levels.buffer).setUint32(0, end - LENGTH_BYTES, true)
  return levels.subarray(0, end)
}

/** Level 0 is a null list where there may be one; then an empty list, a null element, an element. */
const shredList = (leaf: Leaf, column: ListColumn): ShreddedColumn => {
  const { length, validity, offsets, child } = column
  const first = offsets[0] as number
  const elements = (offsets[length] as number) - first
  const repetition = new Uint8Array(elements + length)
  const definition = new Uint8Array(elements + length)
  const empty = leaf.field.nullable ? 1 : 0
  const rows = new Int32Array(elements)
  let entries = 0
  let count = 0
  for (let row = 0; row < length; row++) {
    const start = offsets[row] as number
    const isNull = validity !== null && getBit(validity, row) === 0
    // what lies beneath a null is not looked at
    const end = isNull ? start : (offsets[row + 1] as number)
    requireValues(leaf, isNull ? 1 : 0)
    if (start === end) definition[entries++] = isNull ? 0 : empty
    for (let at = start; at < end; at++) {
      const isThere = child.validity === null || getBit(child.validity, at) === 1
      repetition[entries] = at === start ? 0 : 1
      definition[entries++] = isThere ? empty + 2 : empty + 1
      if (isThere) rows[count++] = at
    }
  }
  return {
    levels: listLevels(repetition.subarray(0, entries), definition.subarray(0, entries)),
    entries,
    nulls: entries - count,
    values: withoutNulls(takeColumn(child, rows.subarray(0, count)) as ScalarColumn),
  }
}

const DEFINITION_BITS = 2

const listLevels = (repetition: Uint8Array, definition: Uint8Array): Uint8Array => {
  const first = levelsOf(repetition, 1)
  const second = levelsOf(definition, DEFINITION_BITS)
  const both = new Uint8Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}

const levelsOf = (numbers: Uint8Array, width: number): Uint8Array => {
  const levels = new Uint8Array(LENGTH_BYTES + maxHybridBytes(numbers.length, width))
  return framed(levels, putHybrid(numbers, width, levels, LENGTH_BYTES))
}
