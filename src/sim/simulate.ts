import { MillraceError } from '../base/errors.ts'
import { runSeed, type SeedOptions, type SeedOutcome } from './run-seed.ts'
import type { Subject } from './subject.ts'

/** What a run over many seeds saw. */
export interface SimulationReport {
  /** Seeds in which every promise was kept. */
  readonly seeds: number
  /** Those among them that took data away on purpose, and in which the pipeline said so instead of going on. */
  readonly excused: number
  readonly steps: number
  readonly batches: number
  /** Rows that became visible. */
  readonly rows: number
}

/** Lines of the trace that an error shows. */
const SHOWN_LINES = 60

/**
 * Runs seeds one after the other and stops at the first that breaks a promise.
 * @throws PROMISE_BROKEN with the seed, the end of its trace and how to replay it
 */
export const simulateSeeds = async (
  subjectOf: (seed: number) => Subject,
  { from, seeds, replay }: { readonly from: number; readonly seeds: number; readonly replay: (seed: number) => string },
  options: SeedOptions,
): Promise<SimulationReport> => {
  let report: SimulationReport = { seeds: 0, excused: 0, steps: 0, batches: 0, rows: 0 }
  for (let seed = from; seed < from + seeds; seed += 1) {
    const outcome = await runSeed(subjectOf(seed), seed, options)
    if (outcome.broken !== null) throw await brokenSeed(subjectOf(seed), outcome, replay(seed), options)
    report = addOutcome(report, outcome)
  }
  return report
}

const addOutcome = (report: SimulationReport, outcome: SeedOutcome): SimulationReport => ({
  seeds: report.seeds + 1,
  excused: report.excused + (outcome.excused === null ? 0 : 1),
  steps: report.steps + outcome.steps,
  batches: report.batches + outcome.batches,
  rows: report.rows + outcome.rows,
})

/** The seed once more, with its trace. */
const brokenSeed = async (
  subject: Subject,
  { seed, broken }: SeedOutcome,
  replay: string,
  options: SeedOptions,
): Promise<MillraceError> => {
  const { trace } = await runSeed(subject, seed, { ...options, traced: true })
  const shown = [
    ...(trace.length > SHOWN_LINES ? [`… ${trace.length - SHOWN_LINES} lines before`] : []),
    ...trace.slice(-SHOWN_LINES),
  ]
  return new MillraceError(
    broken?.code ?? 'BUG',
    `seed ${seed}: ${broken?.message}\n\n${shown.join('\n')}\n\nReplay it with ${replay}`,
    { remedy: broken?.remedy ?? '', cause: broken, details: { seed } },
  )
}
