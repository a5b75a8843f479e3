import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { displayWidth, escapeControls, textTable } from '../../../src/base/text-table.ts'

const COLUMNS = [
  { name: 'country', align: 'left' },
  { name: 'plays', align: 'right' },
] as const

describe('a text table is safe for a terminal', () => {
  it('aligns numbers to the right and text to the left', () => {
    const table = textTable(COLUMNS, [
      ['DE', '5'],
      ['Österreich', '12345678'],
    ])
    expect(table).toBe(`\
+------------+----------+
| country    |    plays |
+------------+----------+
| DE         |        5 |
| Österreich | 12345678 |
+------------+----------+
`)
  })

  it('cuts wide cells and marks the cut', () => {
    expect(textTable([{ name: 'text', align: 'left' }], [['abcdefghij'], ['0123456789x']], 10)).toContain(
      '| 012345678… |',
    )
    expect(textTable([{ name: 'text', align: 'left' }], [['abcdefghij']], 10)).toContain('| abcdefghij |')
  })

  it('counts wide characters twice and combining marks not at all', () => {
    expect(displayWidth('日本')).toBe(4)
    expect(displayWidth('e\u0301')).toBe(1)
    expect(displayWidth('🎬')).toBe(2)
    expect(displayWidth('grün')).toBe(4)
  })

  it('writes control characters as escapes', () => {
    expect(escapeControls('a\u001b[31mred\u0007\r\n\tb\u009b2J')).toBe('a\\x1b[31mred\\x07\\r\\n\\tb\\x9b2J')
    expect(escapeControls('\u202egpj.exe\u2066')).toBe('\\u202egpj.exe\\u2066')
    expect(escapeControls('👩‍🚀 ü')).toBe('👩‍🚀 ü')
    expect(escapeControls('\u{e0041}')).toBe('\\u{e0041}')
  })

  it('keeps every line as wide as the frame and free of controls, whatever the cells hold', () => {
    const cell = fc.string({ unit: 'binary', maxLength: 60 })
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { maxLength: 5 }), fc.integer({ min: 2, max: 50 }), (rows, width) => {
        const table = textTable(COLUMNS, rows, width)
        const lines = table.split('\n')
        expect(lines.pop()).toBe('')
        expect(lines).toHaveLength(rows.length + 4)
        expect(new Set(lines.map(displayWidth)).size).toBe(1)
        expect(table.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u)
      }),
    )
  })
})
