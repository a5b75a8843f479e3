import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface SourceFile {
  /** Below `src/`, with forward slashes. */
  readonly path: string
  readonly text: string
}

const SOURCES = fileURLToPath(new URL('../../../src', import.meta.url))

/** Every TypeScript file of the product. */
export const sourceFiles = (): readonly SourceFile[] =>
  readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.ts'))
    .toSorted()
    .map(path => ({ path: path.replaceAll('\\', '/'), text: readFileSync(join(SOURCES, path), 'utf8') }))

/** Code without comments and without the contents of strings, line for line. */
export const codeOnly = (text: string): string =>
  text
    .replace(/\/\*[\s\S]*?\*\//g, comment => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|\s)\/\/[^\n]*/g, '$1')
    .replace(/'(?:[^'\\\n]|\\.)*'/g, "''")
