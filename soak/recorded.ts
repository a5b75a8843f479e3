import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Mode } from './options.ts'
import { type Outcome, quantile } from './report.ts'

const FILE = fileURLToPath(new URL('./recorded.json', import.meta.url))

/** An outcome with when and where it was. */
interface RecordedRun extends Outcome {
  readonly at: string
  readonly machine: string
}
type Recorded = Readonly<Partial<Record<Mode, readonly RecordedRun[]>>>

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

/** All recorded runs of a kind as one: figures that count are added, of others each is shown. */
export const recordedOutcomes = (): readonly (Outcome & { readonly mode: string })[] =>
  Object.entries(read()).map(([mode, runs]) => {
    const names = new Set(runs.flatMap(({ figures }) => Object.keys(figures)))
    const figures = [...names].map(name => [name, together(name, runs)] as const)
    const recoveries = runs.flatMap(run => run.recoveries ?? [])
    const shares = recoveries.length === 0 ? {} : recoveryFigures(recoveries)
    return {
      mode,
      figures: {
        runs: runs.length,
        machines: runs.map(({ machine }) => machine).join('; '),
        ...Object.fromEntries(figures),
        ...shares,
      },
      broken: runs.flatMap(({ broken }) => broken),
    }
  })

const recoveryFigures = (recoveries: readonly number[]) => ({
  'recovery p50, ms': Math.round(quantile(recoveries, 0.5)),
  'recovery p99, ms': Math.round(quantile(recoveries, 0.99)),
})

/** Figures with a unit are measurements, and a seed is a name: they are not added. */
const together = (name: string, runs: readonly RecordedRun[]): number | string => {
  const values = runs.flatMap(({ figures }) => figures[name] ?? [])
  const [first = ''] = values
  if (values.length === 1) return first
  const counts = values.every(value => typeof value === 'number') && !name.includes(',') && name !== 'seed'
  return counts || name.startsWith('killed at')
    ? values.reduce<number>((sum, value) => sum + Number(value), 0)
    : values.join('; ')
}

const read = (): Recorded => {
  try {
    return JSON.parse(readFileSync(FILE, 'utf8')) as Recorded
  } catch {
    return {}
  }
}
