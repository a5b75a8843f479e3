const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text as HTML: names and messages come from users and from other systems. */
export const escapeHtml = (text: string): string => text.replaceAll(/[&<>"']/g, character => ESCAPES[character] ?? '')

/** A table; cells are text. Columns whose name begins with `#` hold numbers and are read from the right. */
export const htmlTable = (columns: readonly string[], rows: readonly (readonly string[])[]): string => {
  const numeric = columns.map(name => name.startsWith('#'))
  const cell = (tag: 'td' | 'th', text: string, at: number): string =>
    `<${tag}${numeric[at] === true ? ' class="number"' : ''}>${escapeHtml(text)}</${tag}>`
  const head = columns.map((name, at) => cell('th', name.replace(/^#/, ''), at)).join('')
  const body = rows.map(row => `<tr>${row.map((text, at) => cell('td', text, at)).join('')}</tr>`).join('')
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`
}
