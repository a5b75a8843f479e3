import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ColumnBatch } from '../../../src/columnar/column-batch.ts'
import { compact, concat, takeColumn } from '../../../src/columnar/gather.ts'
import { ALL_TYPES, batchOf, plainRows, selectedRows, someFields } from './fixtures/batches.ts'
import { fieldOf, recordsOf, valuesOf } from './fixtures/json-records.ts'

const tables = someFields(ALL_TYPES, 1, 4).chain(fields =>
  fc.record({ fields: fc.constant(fields), batches: fc.array(selectedRows(fields, 20), { maxLength: 4 }) }),
)

/** A dense batch whose columns start somewhere within their buffers, as slices of a larger batch do. */
const slice = (batch: ColumnBatch, from: number): ColumnBatch => ({
  ...batch,
  length: batch.length - from,
  columns: batch.columns.map(column => {
    if (!('offsets' in column)) throw new Error('only columns with positions')
    return { ...column, length: column.length - from, validity: null, offsets: column.offsets.subarray(from) }
  }),
})

describe('compact', () => {
  it('keeps exactly the selected rows, in order', () => {
    fc.assert(
      fc.property(tables, ({ fields, batches }) => {
        for (const { rows, keep } of batches) {
          const batch = batchOf(fields, rows, keep)
          const dense = compact(batch)
          expect(dense.selection).toBeNull()
          expect(dense.columns.map(column => column.length)).toEqual(fields.map(() => dense.length))
          expect(plainRows(dense)).toEqual(plainRows(batch))
        }
      }),
    )
  })

  it('still knows the record of each row', () => {
    const fields = [fieldOf('n', 'int32')]
    const records = recordsOf(['a', 'b', 'c', 'd', 'e'])
    const batch = batchOf(fields, [[1], [2], [3], [4]], [false, true, false, true])
    const dense = compact({ ...batch, origin: { records, recordOf: Int32Array.of(0, 1, 3, 4) } })
    expect(dense.origin?.records).toBe(records)
    expect([...(dense.origin?.recordOf ?? [])]).toEqual([1, 4])
  })

  it('leaves the batch it came from alone', () => {
    const fields = [fieldOf('s', 'string'), fieldOf('n', 'int64')]
    const rows = Array.from({ length: 3 }, (_, row) => [`text ${row}`, BigInt(row)])
    const batch = batchOf(fields, rows, [true, false, true])
    for (const column of compact(batch).columns) {
      if ('bytes' in column) column.bytes.fill(0x7a)
      else if (column.kind === 'int64') column.values.fill(9n)
    }
    expect(plainRows({ ...batch, selection: null })).toEqual(rows)
  })
})

describe('concat', () => {
  it('holds the selected rows of all batches one after the other', () => {
    fc.assert(
      fc.property(tables, ({ fields, batches }) => {
        const parts = batches.map(({ rows, keep }) => batchOf(fields, rows, keep))
        const all = concat({ fields }, parts)
        expect(plainRows(all)).toEqual(parts.flatMap(plainRows))
        expect(all.columns.map(column => column.length)).toEqual(fields.map(() => all.length))
      }),
    )
  })

  it('of nothing has every column, empty', () => {
    const fields = ALL_TYPES.map((type, at) => fieldOf(`c${at}`, type))
    const nothing = concat({ fields }, [batchOf(fields, [])])
    expect(nothing.length).toBe(0)
    expect(nothing.columns.map(valuesOf)).toEqual(fields.map(() => []))
  })

  it('takes columns that are slices of larger ones', () => {
    const fields = [fieldOf('s', 'string'), fieldOf('l', 'list<string>')]
    const rows = [
      ['left out', ['x', 'y']],
      ['first', ['a', null]],
      ['second', []],
      ['third', ['b']],
    ]
    const part = slice(batchOf(fields, rows), 1)
    expect(plainRows(concat({ fields }, [part, part]))).toEqual([...rows.slice(1), ...rows.slice(1)])
  })
})

describe('takeColumn', () => {
  it('takes rows in any order, also more than once', () => {
    const indices = fc.array(fc.nat({ max: 9 }), { maxLength: 30 })
    fc.assert(
      fc.property(
        someFields(ALL_TYPES, 1, 3).chain(fields => selectedRows(fields, 10).map(({ rows }) => ({ fields, rows }))),
        indices,
        ({ fields, rows }, wanted) => {
          const there = wanted.filter(row => row < rows.length)
          const { columns } = batchOf(fields, rows)
          for (const column of columns) {
            const values = valuesOf(column)
            expect(valuesOf(takeColumn(column, Int32Array.from(there)))).toEqual(there.map(row => values[row]))
          }
        },
      ),
    )
  })
})
