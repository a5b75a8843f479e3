import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { materialize, rowView } from '../../../src/columnar/row-view.ts'
import { ALL_TYPES, batchOf, keptRows, selectedRows, someFields } from './fixtures/batches.ts'
import { fieldOf } from './fixtures/json-records.ts'

const tables = someFields(ALL_TYPES, 1, 5).chain(fields =>
  fc.record({ fields: fc.constant(fields), batches: fc.array(selectedRows(fields, 12), { maxLength: 3 }) }),
)

describe('a row view', () => {
  it('reads every value of every type as the builders took it, batch after batch', () => {
    fc.assert(
      fc.property(tables, ({ fields, batches }) => {
        const view = rowView({ fields })
        for (const { rows } of batches) {
          view.bind(batchOf(fields, rows))
          for (const [at, row] of rows.entries()) {
            view.moveTo(at)
            expect(fields.map(({ name }) => view.row[name])).toEqual(row)
          }
        }
      }),
    )
  })

  it('is one object with a key for each column and nothing inherited', () => {
    const fields = [fieldOf('__proto__', 'int32'), fieldOf('constructor', 'string'), fieldOf('device.type', 'bool?')]
    const view = rowView({ fields })
    const { row } = view
    view.bind(
      batchOf(fields, [
        [1, 'x', null],
        [2, 'y', true],
      ]),
    )
    expect(Object.keys(row)).toEqual(['__proto__', 'constructor', 'device.type'])
    expect({ ...row }).toHaveProperty('constructor', 'x')
    view.moveTo(1)
    expect(view.row).toBe(row)
    expect(Object.values(row)).toEqual([2, 'y', true])
    expect(row['toString']).toBeUndefined()
    expect(() => Object.assign(row, { more: 1 })).toThrow(TypeError)
    expect(() => Object.assign(row, { constructor: 1 })).toThrow(TypeError)
  })

  it('gives bytes that stay what they were when the column changes', () => {
    const fields = [fieldOf('key', 'bytes')]
    const batch = batchOf(fields, [[Uint8Array.of(1, 2, 3)]])
    const view = rowView({ fields })
    view.bind(batch)
    view.moveTo(0)
    const taken = view.row['key']
    const [column] = batch.columns
    if (column?.kind === 'bytes') column.bytes.fill(9)
    expect(taken).toEqual(Uint8Array.of(1, 2, 3))
  })

  it('tells apart texts that share a place in its cache', () => {
    const fields = [fieldOf('user', 'string')]
    const texts = Array.from({ length: 5000 }, (_, at) => `user-${at % 1700}-${'é'.repeat(at % 3)}`)
    const view = rowView({ fields })
    view.bind(
      batchOf(
        fields,
        texts.map(text => [text]),
      ),
    )
    const read = texts.map((_, at) => {
      view.moveTo(at)
      return view.row['user']
    })
    expect(read).toEqual(texts)
  })
})

describe('materialized rows', () => {
  it('are plain objects of the rows that count, each of its own', () => {
    fc.assert(
      fc.property(tables, ({ fields, batches }) => {
        for (const batch of batches) {
          const rows = materialize(batchOf(fields, batch.rows, batch.keep))
          expect(rows.map(row => fields.map(({ name }) => row[name]))).toEqual(keptRows(batch))
        }
      }),
    )
  })
})
