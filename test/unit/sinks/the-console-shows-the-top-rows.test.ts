import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { batchId, driverEpoch } from '../../../src/base/units.ts'
import type { ColumnBatch } from '../../../src/columnar/column-batch.ts'
import { type ConsoleSinkOptions, consoleSink } from '../../../src/sinks/console/console-sink.ts'
import { batchOf, schemaOf } from './fixtures/batches.ts'

const show = async (rows: readonly ColumnBatch[], options: Partial<ConsoleSinkOptions> = {}): Promise<string> => {
  let text = ''
  const write = (written: string) => {
    text += written
  }
  const sink = consoleSink({ rows: 20, orderBy: null, name: 'trending', write, ...options })
  await sink.prepare({ batchId: batchId(7), epoch: driverEpoch(1), files: [], rows, watermark: null })
  return text
}

const PLAYS = schemaOf({ window_start: 'timestamp', content: 'string?', plays: 'int64?' })
const AT = Date.UTC(2026, 0, 15, 10)

describe('the console shows the top rows', () => {
  it('prints an aligned table with the batch, the greatest first, nulls last', async () => {
    const text = await show(
      [
        batchOf(PLAYS, [
          [AT, 'a', 5n],
          [AT, 'none', null],
          [AT, 'b', 9_007_199_254_740_993n],
        ]),
        batchOf(
          PLAYS,
          [
            [AT, null, 9_007_199_254_740_992n],
            [AT, 'hidden', 1n],
          ],
          [0],
        ),
      ],
      { orderBy: 'plays' },
    )
    expect(text).toBe(`\
trending, batch 7
+--------------------------+---------+------------------+
| window_start             | content |            plays |
+--------------------------+---------+------------------+
| 2026-01-15T10:00:00.000Z | b       | 9007199254740993 |
| 2026-01-15T10:00:00.000Z | null    | 9007199254740992 |
| 2026-01-15T10:00:00.000Z | a       |                5 |
| 2026-01-15T10:00:00.000Z | none    |             null |
+--------------------------+---------+------------------+
`)
  })

  it('shows at most so many rows and says so', async () => {
    const rows = Array.from({ length: 30 }, (_, row) => [AT, `c${row}`, BigInt(row)])
    const text = await show([batchOf(PLAYS, rows)], { rows: 2, orderBy: 'plays' })
    expect(text).toContain('c29')
    expect(text).toContain('c28')
    expect(text).not.toContain('c27')
    expect(text).toMatch(/only the first 2 rows are shown\n$/)
    expect(await show([batchOf(PLAYS, rows)], { rows: 2 })).toMatch(/c0 [^]*c1 /)
  })

  it('sorts as a sort of all rows would, equal values in order of arrival', async () => {
    const schema = schemaOf({ value: 'float64?', at: 'int32' })
    const batches = fc.array(fc.array(fc.option(fc.integer({ min: 0, max: 9 })), { maxLength: 12 }), { maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(batches, fc.integer({ min: 1, max: 20 }), async (values, limit) => {
        let at = 0
        const rows = values.map(batch => batch.map((value): readonly [number | null, number] => [value, at++]))
        const expected = rows
          .flat()
          .toSorted(([a], [b]) => (b ?? -1) - (a ?? -1))
          .slice(0, limit)
        const text = await show(
          rows.map(batch => batchOf(schema, batch)),
          { rows: limit, orderBy: 'value', format: 'json' },
        )
        const shown = text === '' ? [] : (JSON.parse(text).rows as { value: number; at: number }[])
        expect(shown.map(row => [row.value, row.at])).toEqual(expected)
      }),
    )
  })

  it('prints every type readably, without acting on the terminal', async () => {
    const schema = schemaOf({
      b: 'bool',
      f: 'float32',
      d: 'date',
      raw: 'bytes',
      j: 'json',
      tags: 'list<string>',
      s: 'string',
    })
    const row = [true, Math.fround(0.1), -1, Uint8Array.of(0, 255), '{"a":1}', ['x', null], 'bell\u0007\u001b[2J']
    const text = await show([batchOf(schema, [row])])
    expect(text).toContain('| true | 0.1 | 1969-12-31 | 0x00ff | {"a":1} | [x, null] | bell\\x07\\x1b[2J |')
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
  })

  it('writes one line of JSON per batch, integers with all their digits', async () => {
    const schema = schemaOf({
      n: 'int64',
      f: 'float64',
      t: 'timestamp',
      raw: 'bytes',
      s: 'string',
      tags: 'list<int64>?',
    })
    const text = await show(
      [batchOf(schema, [[9_007_199_254_740_993n, Number.NaN, AT, Uint8Array.of(1), 'a"\n\u009b\u202e', [1n]]])],
      { format: 'json' },
    )
    expect(text).toBe(
      '{"sink":"trending","batchId":7,"rows":[{"n":9007199254740993,"f":null,"t":"2026-01-15T10:00:00.000Z",' +
        '"raw":"AQ==","s":"a\\"\\n\\u009b\\u202e","tags":[1]}]}\n',
    )
  })

  it('says nothing of a batch without rows, and shows only when it prepares', async () => {
    expect(await show([])).toBe('')
    expect(await show([batchOf(PLAYS, [[AT, 'a', 1n]], [])])).toBe('')
    const sink = consoleSink({ rows: 1, orderBy: null, name: 'x', write: expect.unreachable })
    await sink.publish(null)
    await sink.discard(null)
    await sink.clearUp(batchId(1))
    expect(sink.delivery).toBe('atLeastOnce')
  })
})
