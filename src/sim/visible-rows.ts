import { brokenPromise } from './broken-promise.ts'
import { linesIn, originOf } from './line-encoder.ts'

/** How often each line is there. */
type Counts = Map<string, number>

/**
 * What whoever lists a table sees, against what is committed: every committed row once, no other, none ever gone, those of a
 * partition in the order of their offsets within a file.
 */
export class VisibleRows {
  readonly #table: string
  /** Committed and not visible yet. */
  readonly #awaited: Counts = new Map()
  readonly #seen: Counts = new Map()
  readonly #files = new Map<string, string>()
  #awaitedRows = 0

  constructor(table: string) {
    this.#table = table
  }

  /** Committed rows that nobody can see yet. */
  get awaited(): number {
    return this.#awaitedRows
  }

  /** Rows that are visible. */
  get rows(): number {
    let total = 0
    for (const count of this.#seen.values()) total += count
    return total
  }

  commit(lines: readonly string[]): void {
    for (const line of lines) add(this.#awaited, line, 1)
    this.#awaitedRows += lines.length
  }

  appeared(key: string, bytes: Uint8Array): void {
    const lines = linesIn(bytes)
    const content = lines.join('\n')
    const before = this.#files.get(key)
    if (before === content) return
    if (before !== undefined) throw brokenPromise(`${key} was replaced by other rows`)
    this.#files.set(key, content)
    for (const line of lines) this.#show(key, line)
    requireOrder(key, lines)
  }

  removed(key: string): void {
    throw brokenPromise(`${key} was visible and is gone`)
  }

  #show(key: string, line: string): void {
    const left = this.#awaited.get(line) ?? 0
    if (left === 0) {
      const why = this.#seen.has(line) ? 'is visible twice' : 'is visible and not committed'
      throw brokenPromise(`a row of ${this.#table} ${why}: ${line} in ${key}`)
    }
    add(this.#awaited, line, -1)
    add(this.#seen, line, 1)
    this.#awaitedRows -= 1
  }
}

const add = (counts: Counts, line: string, by: number): void => {
  const count = (counts.get(line) ?? 0) + by
  if (count === 0) counts.delete(line)
  else counts.set(line, count)
}

const requireOrder = (key: string, lines: readonly string[]): void => {
  const last = new Map<number, number>()
  for (const line of lines) {
    const origin = originOf(line)
    if (origin === null) continue
    const [partition, offset] = origin
    if (offset < (last.get(partition) ?? 0))
      throw brokenPromise(`rows of partition ${partition} are out of order in ${key}`)
    last.set(partition, offset)
  }
}
