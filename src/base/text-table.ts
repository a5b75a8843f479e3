/** A column of a table for people. */
export interface TextColumn {
  readonly name: string
  /** Numbers are read from the right. */
  readonly align: 'left' | 'right'
}

/** Cells wider than this are cut, unless told otherwise. */
const DEFAULT_CELL_WIDTH = 40
const CUT = '…'

/**
 * An aligned table with a frame, as Spark's console shows it; every line ends with a newline. Cells are made safe for a
 * terminal (`escapeControls`) and cut to `maxCellWidth` columns of it.
 */
export const textTable = (
  columns: readonly TextColumn[],
  rows: readonly (readonly string[])[],
  maxCellWidth: number = DEFAULT_CELL_WIDTH,
): string => {
  const header = columns.map(column => cut(escapeControls(column.name), maxCellWidth))
  const body = rows.map(row => columns.map((_, at) => cut(escapeControls(row[at] ?? ''), maxCellWidth)))
  const widths = columns.map((_, at) => {
    let width = 1
    for (const row of [header, ...body]) width = Math.max(width, displayWidth(row[at] ?? ''))
    return width
  })
  const frame = `+${widths.map(width => '-'.repeat(width + 2)).join('+')}+\n`
  const line = (cells: readonly string[]): string =>
    `|${cells.map((cell, at) => ` ${padded(cell, widths[at] ?? 0, columns[at]?.align ?? 'left')} `).join('|')}|\n`
  return frame + line(header) + frame + body.map(line).join('') + frame
}

/**
 * Text that moves no cursor, sets no colour and does not turn the reading direction: control characters, bidirectional
 * marks, line separators and lone surrogates are written as escapes.
 */
export const escapeControls = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, character => SHORT_ESCAPES.get(character) ?? escapeOf(character))

const SHORT_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  // joins the parts of one emoji
  ['\u200d', '\u200d'],
])

const escapeOf = (character: string): string => {
  const code = character.codePointAt(0) ?? 0
  if (code > 0xffff) return `\\u{${code.toString(16)}}`
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
}

/** How many columns of a terminal a text takes: two for a wide character or emoji, none for a combining mark. */
export const displayWidth = (text: string): number => {
  let width = 0
  for (const character of text) width += characterWidth(character)
  return width
}

const characterWidth = (character: string): number => {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x300) return 1
  if (/[\p{Mn}\p{Me}\p{Cf}]/u.test(character)) return 0
  return isWide(code) ? 2 : 1
}

/** Blocks of Unicode's East Asian Width W and F (UAX #11), roughly. */
const WIDE_BLOCKS: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
]
const isWide = (code: number): boolean => WIDE_BLOCKS.some(([from, until]) => code >= from && code <= until)

const padded = (cell: string, width: number, align: TextColumn['align']): string => {
  const space = ' '.repeat(Math.max(0, width - displayWidth(cell)))
  return align === 'right' ? space + cell : cell + space
}

const cut = (text: string, maxWidth: number): string => {
  // a code unit takes at most two columns, so that most texts need no measuring
  if (text.length * 2 <= maxWidth || displayWidth(text) <= maxWidth) return text
  let width = 0
  let kept = ''
  for (const character of text) {
    width += characterWidth(character)
    if (width > maxWidth - 1) break
    kept += character
  }
  return kept + CUT
}
