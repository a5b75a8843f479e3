import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Mode } from './options.ts'
import type { Outcome } from './report.ts'

const FILE = fileURLToPath(new URL('./recorded.json', import.meta.url))

/** Adds an outcome to those that are recorded; several runs of a kind stand side by side. */
export const record = (mode: Mode, outcome: Outcome): void => {
  const before = read()
  const run = {
    at: new Date().toISOString(),
    machine: `${availableParallelism()} cores, Node ${process.versions.node}, load ${(loadavg()[0] ?? 0).toFixed(1)}`,
    ...outcome,
  }
  const after = { ...before, [mode]: [...(before[mode] ?? []), run] }
  writeFileSync(FILE, `${JSON.stringify(after, null, 2)}\n`)
}

const read = (): Readonly<Record<string, readonly unknown[]>> => {
  try {
    return JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, readonly unknown[]>
  } catch {
    return {}
  }
}
